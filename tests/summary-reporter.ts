import { relative } from 'node:path';
import type { TestEvent } from 'node:test/reporters';

const slowestShown = 12;

/** Prints what failed with its reason, the files that took longest, and one closing line of counts. */
export default async function* report(source: AsyncIterable<TestEvent>): AsyncGenerator<string> {
  let passed = 0;
  let failed = 0;
  let skipped = 0;
  const seconds = new Map<string, number>();
  for await (const event of source) {
    if ((event.type === 'test:pass' || event.type === 'test:fail') && event.data.nesting === 0) {
      const file = event.data.file ?? '';
      seconds.set(file, (seconds.get(file) ?? 0) + event.data.details.duration_ms / 1000);
    }
    if (event.type === 'test:pass' && event.data.details.type !== 'suite') {
      if (event.data.skip === undefined) passed += 1;
      else skipped += 1;
    }
    if (event.type === 'test:fail' && event.data.details.type !== 'suite') {
      failed += 1;
      const { name, file, line, details } = event.data;
      const cause = details.error.cause ?? details.error;
      const reason = cause instanceof Error ? (cause.stack ?? cause.message) : String(cause);
      yield `\nFAILED ${file ?? ''}:${line ?? ''} ${name}\n${reason}\n`;
    }
  }
  const slowest = [...seconds].sort(([, a], [, b]) => b - a).slice(0, slowestShown);
  for (const [file, took] of slowest)
    yield `${took.toFixed(0).padStart(5)} s  ${relative(process.cwd(), file)}\n`;
  yield `\n${passed} passed, ${failed} failed, ${skipped} skipped\n`;
}

import type { TestEvent } from 'node:test/reporters';

/** Prints what failed with its reason, and one closing line of counts. */
export default async function* report(source: AsyncIterable<TestEvent>): AsyncGenerator<string> {
  let passed = 0;
  let failed = 0;
  let skipped = 0;
  for await (const event of source) {
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
  yield `\n${passed} passed, ${failed} failed, ${skipped} skipped\n`;
}

import assert from 'node:assert/strict';
import { createApp } from '../../src/api/app.ts';
import type { ApiContext } from '../../src/api/context.ts';
import type { ChangeSubject } from '../../src/database/look-at-changes.ts';

export interface HeardChanges extends AsyncDisposable {
  /** Resolves once a subject is told; returns all that was told since it was asked before. */
  readonly until: (subject: ChangeSubject) => Promise<ReadonlySet<ChangeSubject>>;
}

/** Opens the stream of what changes on pages; `query` is that of its address. */
export async function hearChanges(
  context: ApiContext,
  query: string,
  headers: Record<string, string> = {},
): Promise<HeardChanges> {
  const response = await createApp(context).request(`http://odcs.example.com/console/changes?${query}`, {
    headers,
  });
  assert.equal(response.status, 200);
  assert.match(response.headers.get('content-type') ?? '', /^text\/event-stream/);
  assert.ok(response.body !== null);
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = '';
  return {
    async until(subject) {
      const heard = new Set<ChangeSubject>();
      while (!heard.has(subject)) {
        const { value, done } = await reader.read();
        assert.ok(!done, 'the stream ended');
        const lines = `${rest}${value}`.split('\n');
        rest = lines.pop() ?? '';
        for (const line of lines.filter((text) => text.startsWith('data: '))) {
          const { subjects }: { subjects: ChangeSubject[] } = JSON.parse(line.slice('data: '.length));
          for (const told of subjects) heard.add(told);
        }
      }
      return heard;
    },
    [Symbol.asyncDispose]: () => reader.cancel(),
  };
}

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { z } from 'zod';
import { answerVector, gatherVector } from '../../../src/commands/gather-vector.ts';
import { sharedPath } from '../../shared.ts';

const recorded = z.array(
  gatherVector.extend({
    expected: z.object({
      rpms: z.array(z.string()),
      srpms: z.array(z.string()),
      debuginfo: z.array(z.string()),
    }),
    broken_deps: z.record(z.string(), z.array(z.string())),
  }),
);

const vectors = recorded.parse(JSON.parse(readFileSync(sharedPath('pungi', 'gather-vectors.json'), 'utf8')));

/**
 * What docs/gather.md lists: more than was recorded, because a rich dependency is evaluated as logic, and what is
 * broken then (null: is not broken).
 */
const supersets: Record<
  string,
  { readonly more: readonly string[]; readonly broken: Record<string, string[] | null> }
> = {
  edge_rich_and: { more: ['e-ra2-1-1.x86_64', 'e-ra2-1-1.src'], broken: {} },
  edge_rich_if_main_missing_cond_false: { more: [], broken: { 'e-rich-if-false.x86_64': null } },
  edge_rich_and_second_half_missing: { more: [], broken: { 'e-rich-and.x86_64': ['(e-ra1 and e-ra2)'] } },
};

for (const vector of vectors) {
  test(`gather answers ${vector.name} as recorded`, async () => {
    const answer = await answerVector({}, vector, sharedPath('pungi', 'repos'));
    const listed = supersets[vector.name];
    const without = (names: readonly string[]): string[] =>
      names.filter((name) => !listed?.more.includes(name));
    assert.deepEqual(
      { rpms: without(answer.rpms), srpms: without(answer.srpms), debuginfo: without(answer.debuginfo) },
      vector.expected,
    );
    const broken = Object.entries({ ...vector.broken_deps, ...listed?.broken });
    assert.deepEqual(answer.broken_deps, Object.fromEntries(broken.filter(([, list]) => list !== null)));
    for (const name of listed?.more ?? []) assert.ok([...answer.rpms, ...answer.srpms].includes(name));
  });
}

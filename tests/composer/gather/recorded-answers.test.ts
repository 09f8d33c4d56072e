import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { z } from 'zod';
import { answerVector, gatherVector } from '../../../src/commands/gather-vector.ts';
import { sharedPath } from '../../shared.ts';
import { supersets } from './recorded-supersets.ts';

const recorded = z.array(
  gatherVector.extend({
    expected: z.object({
      rpms: z.array(z.string()),
      srpms: z.array(z.string()),
      debuginfo: z.array(z.string()),
    }),
    broken_deps: z.record(z.string(), z.array(z.string())),
    unmatched_patterns: z.array(z.string()),
  }),
);

const vectors = recorded.parse(JSON.parse(readFileSync(sharedPath('pungi', 'gather-vectors.json'), 'utf8')));

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
    const unmatched = [...vector.unmatched_patterns, ...(listed?.unmatched ?? [])];
    assert.deepEqual(answer.unmatched_patterns, unmatched.toSorted());
    for (const name of listed?.more ?? []) assert.ok([...answer.rpms, ...answer.srpms].includes(name));
  });
}

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { kojiStates } from '../../src/rules/koji-states.ts';
import type { KojiState } from '../../src/rules/require.ts';
import { quietKoji } from './quiet-koji.ts';

/** A hub whose answers show which one was asked, and for what. */
function hubCalled(hub: string): KojiState {
  return {
    ...quietKoji,
    packagesOfTag: async (tag) => new Set([`${hub} ${tag}`]),
    isTagThere: async (tag) => tag === `of-${hub}`,
    tagState: async (tag) => (tag === `of-${hub}` ? { kind: 'untold' } : { kind: 'gone' }),
    openBuilds: async (tag) => [`${hub}-${tag}-1`],
    unsignedBuilds: async (nvrs, keys) => nvrs.filter((nvr) => nvr.startsWith(`${hub}-`) && keys.length > 0),
    signaturesOfTag: async (tag, keys) => ({ builds: keys.length, unsigned: [`${hub}-${tag}-1`] }),
    changesOfTag: async (tag, afterEvent) => ({
      hasOthers: hub === 'brew',
      taggings: [
        {
          kind: 'tagged',
          tagName: tag,
          tagId: 1,
          name: 'vim',
          version: '1',
          release: '1',
          buildId: 2,
          event: afterEvent + 1,
          at: 0,
          user: null,
        },
      ],
    }),
  };
}

const koji = kojiStates(
  new Map([
    [null, hubCalled('ours')],
    ['brew', hubCalled('brew')],
  ]),
);

test('every question goes to the hub that the name says, without it', async () => {
  assert.deepEqual([...((await koji.packagesOfTag('f44')) ?? [])], ['ours f44']);
  assert.deepEqual([...((await koji.packagesOfTag('brew:f44')) ?? [])], ['brew f44']);
  assert.equal(await koji.isTagThere('brew:of-brew'), true);
  assert.equal(await koji.isTagThere('of-brew'), false);
  assert.equal((await koji.tagState('brew:of-brew')).kind, 'untold');
  assert.equal((await koji.tagState('of-brew')).kind, 'gone');
});

test('what is answered is written with its hub', async () => {
  assert.deepEqual(await koji.openBuilds('brew:f44'), ['brew:brew-f44-1']);
  assert.deepEqual(await koji.openBuilds('f44'), ['ours-f44-1']);
  const { taggings, hasOthers } = await koji.changesOfTag('brew:f44', 7);
  assert.deepEqual([taggings[0]?.tagName, taggings[0]?.event, hasOthers], ['brew:f44', 8, true]);
  const unsigned = await koji.unsignedBuilds(['ours-1-1', 'brew:brew-1-1', 'brew:ours-1-1'], ['key']);
  assert.deepEqual(unsigned, ['ours-1-1', 'brew:brew-1-1']);
});

test('a hub that nobody configured is told', async () => {
  await assert.rejects(koji.isTagThere('centos:c9s'), { code: 'koji.hub_unknown' });
  await assert.rejects(koji.unsignedBuilds(['centos:a-1-1'], []), { code: 'koji.hub_unknown' });
});

test('the builds of a tag that are not signed are named with the hub of the tag', async () => {
  assert.deepEqual(await koji.signaturesOfTag('brew:side', ['a']), {
    builds: 1,
    unsigned: ['brew:brew-side-1'],
  });
  assert.deepEqual(await koji.signaturesOfTag('side', []), { builds: 0, unsigned: ['ours-side-1'] });
});

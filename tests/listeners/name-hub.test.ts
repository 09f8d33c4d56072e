import assert from 'node:assert/strict';
import { test } from 'node:test';
import { kojiNames } from '../../src/listeners/koji-names.ts';
import { nameHub } from '../../src/listeners/name-hub.ts';
import type { DomainEvent } from '../../src/model/event.ts';

const tagged: DomainEvent = { kind: 'koji.tag', tag: 'f44', package: 'vim', nvr: 'vim-1-1', side_tag: false };
const builds = [{ nvr: 'vim-1-1', package: 'vim' }];

test('an event of the default hub stays as it is', () => {
  assert.equal(nameHub(tagged, null), tagged);
});

for (const [event, named] of [
  [tagged, { ...tagged, hub: 'brew', tag: 'brew:f44', nvr: 'brew:vim-1-1' }],
  [
    { kind: 'koji.build', nvr: 'vim-1-1', package: 'vim', state: 'complete' },
    { kind: 'koji.build', hub: 'brew', nvr: 'brew:vim-1-1', package: 'vim', state: 'complete' },
  ],
  [
    { kind: 'koji.task', task_id: 1, method: 'build', state: 'CLOSED' },
    { kind: 'koji.task', hub: 'brew', task_id: 1, method: 'build', state: 'CLOSED' },
  ],
  [
    { kind: 'koji.repo', action: 'done', tag: 'f44-build', repo_id: 1 },
    { kind: 'koji.repo', hub: 'brew', action: 'done', tag: 'brew:f44-build', repo_id: 1 },
  ],
  [
    { kind: 'koji.sign', sigkey: 'f5d95b82', build_id: 7 },
    { kind: 'koji.sign', hub: 'brew', sigkey: 'f5d95b82', build_id: 7 },
  ],
  [
    { kind: 'mbs.module', id: 1, state: 'ready', koji_tag: 'module-1', nsvc: 'a:b:1:c' },
    { kind: 'mbs.module', hub: 'brew', id: 1, state: 'ready', koji_tag: 'brew:module-1', nsvc: 'a:b:1:c' },
  ],
  [
    { kind: 'errata.status', id: 1, embargoed: false, builds },
    { kind: 'errata.status', id: 1, embargoed: false, builds: [{ nvr: 'brew:vim-1-1', package: 'vim' }] },
  ],
  [
    { kind: 'bodhi.update', phase: 'complete', alias: 'A-1', builds, dist_tag: 'f44' },
    {
      kind: 'bodhi.update',
      phase: 'complete',
      alias: 'A-1',
      builds: [{ nvr: 'brew:vim-1-1', package: 'vim' }],
      dist_tag: 'brew:f44',
    },
  ],
] satisfies readonly (readonly [DomainEvent, DomainEvent])[]) {
  test(`${event.kind} of another hub says it, in its tags and builds too`, () => {
    assert.deepEqual(nameHub(event, 'brew'), named);
  });
}

test('what events lack is asked of the hub that their names say', async () => {
  const hub = (name: string) => ({
    tagsFedBy: async (tag: string) => [tag, `${name}-child`],
    binaryNames: async (nvrs: readonly string[]) => new Map(nvrs.map((nvr) => [nvr, [`${nvr} of ${name}`]])),
  });
  const koji = kojiNames(
    new Map([
      [null, hub('ours')],
      ['brew', hub('brew')],
    ]),
  );
  assert.deepEqual(await koji.tagsFedBy('brew:f44'), ['brew:f44', 'brew:brew-child']);
  assert.deepEqual(await koji.tagsFedBy('f44'), ['f44', 'ours-child']);
  assert.deepEqual(
    [...(await koji.binaryNames(['vim-1-1', 'brew:vim-1-1']))],
    [
      ['vim-1-1', ['vim-1-1 of ours']],
      ['brew:vim-1-1', ['vim-1-1 of brew']],
    ],
  );
});

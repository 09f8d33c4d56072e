import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { createDemoRepository } from '../../../src/commands/demo/demo-files.ts';
import { offersOf } from '../../../src/composer/plan.ts';
import { newSelection } from '../../../src/composer/selection.ts';
import { defineSource } from '../../../src/composer/sources/source-definition.ts';
import { sourceDefinitions } from '../../../src/composer/sources/source-definitions.ts';
import { parseComposeRequest, requestDefaults } from '../../../src/model/compose-request.ts';
import { knownOffers } from '../../../src/model/offers.ts';
import { openTestComposer } from '../open-test-composer.ts';

/** A source of a type in another's place: the packages of a repository whose names begin with the end of the URL. */
const initials = defineSource({
  type: 'pungi_compose',
  open(context) {
    const repository = sourceDefinitions.find(({ type }) => type === 'repo')?.open(context) ?? null;
    return repository === null
      ? null
      : async (selecting, request) => {
          const place = join(context.targetDirs['default'] ?? '', '../repository');
          const packages = request.source.map((word) => `${word.slice(word.lastIndexOf('/') + 1)}*`);
          const { selection, reader } = await repository(selecting, {
            ...request,
            source: [place],
            packages,
          });
          const { trees } = selection;
          const pins = { source: request.source.join(' '), kojiEvent: null };
          return { selection: newSelection({ pins, trees, notes: ['made of initials'] }), reader };
        };
  },
});

const composer = await openTestComposer({}, [
  ...sourceDefinitions.filter(({ type }) => type !== initials.type),
  initials,
]);
after(() => composer[Symbol.asyncDispose]());

test('there is a definition of every type that this version says it makes', () => {
  const types = sourceDefinitions.map(({ type }) => type);
  assert.deepEqual([...types].sort(), [...knownOffers.sourceTypes].sort());
  assert.equal(new Set(types).size, types.length);
});

test('a new type of source is offered, planned, composed and reused by its definition alone', async () => {
  const repository = createDemoRepository(join(composer.folder, 'repository'));
  await repository.add('base', composer.now);
  assert.ok(offersOf(composer.context).sourceTypes.includes('pungi_compose'));
  const body = {
    source: { type: 'pungi_compose', source: 'http://initials.example.com/ed' },
    arches: ['x86_64'],
  };
  const request = parseComposeRequest(body, requestDefaults(composer.config));
  const done = await composer.compose(request);
  assert.equal(done.state, 'done', done.stateReason ?? '');
  assert.equal(done.source, 'http://initials.example.com/ed');
  const again = await composer.compose({ ...request, label: 'again' });
  assert.equal(again.reusedId, done.id);
});

test('without Koji and without a database only what needs neither is offered', () => {
  assert.deepEqual(offersOf(composer.context).sourceTypes, ['repo', 'pungi_compose', 'compose']);
});

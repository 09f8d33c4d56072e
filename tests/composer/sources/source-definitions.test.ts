import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { offersOf } from '../../../src/composer/plan.ts';
import { knownOffers } from '../../../src/model/offers.ts';
import { sourceDefinitions, sourceTypes } from '../../../src/source-types.ts';
import { openTestComposer } from '../open-test-composer.ts';

const composer = await openTestComposer();
after(() => composer[Symbol.asyncDispose]());

test('source types have numbers and names of their own, those of ODCS the ones that its clients know', () => {
  const numbers = sourceDefinitions.map(({ number }) => number);
  assert.equal(new Set(numbers).size, numbers.length);
  assert.equal(Object.keys(sourceTypes).length, sourceDefinitions.length);
  const { tag, module, repo, pulp, raw_config: rawConfig, build, pungi_compose: pungi } = sourceTypes;
  assert.deepEqual([tag, module, repo, pulp, rawConfig, build, pungi], [1, 2, 3, 4, 5, 6, 7]);
  assert.deepEqual(knownOffers.sourceTypes, Object.keys(sourceTypes));
});

test('without Koji, Pulp, configurations and definitions only what needs none of them is offered', () => {
  assert.deepEqual(offersOf(composer.context).sourceTypes, ['repo', 'pungi_compose', 'compose']);
});

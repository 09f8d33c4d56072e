import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { indexModuleBuilds } from '../../../src/composer/modules/newest-builds.ts';
import { resolveModulesIn } from '../../../src/composer/modules/resolve-modules.ts';
import { formatNsvc } from '../../../src/model/nsvc.ts';
import type { ModuleBuild } from '../../../src/upstream/mbs.ts';

const MODULES = 8;

/** What each module requires, and which versions of it exist. */
const graphs = fc.array(
  fc.record({
    requires: fc.uniqueArray(fc.nat(MODULES - 1), { maxLength: 3 }),
    versions: fc.uniqueArray(fc.bigInt({ min: 1n, max: 1n << 65n }), { minLength: 1, maxLength: 4 }),
    contexts: fc.integer({ min: 1, max: 3 }),
  }),
  { minLength: MODULES, maxLength: MODULES },
);

interface Drawn {
  readonly requires: readonly number[];
  readonly versions: readonly bigint[];
  readonly contexts: number;
}

function toBuilds(graph: readonly Drawn[]): ModuleBuild[] {
  return graph.flatMap(({ requires, versions, contexts }, name) =>
    versions.flatMap((version) =>
      Array.from({ length: contexts }, (_, context) => ({
        id: 0,
        name: `m${name}`,
        stream: '1',
        version: String(version),
        context: `c${context}`,
        state: 'ready' as const,
        isScratch: false,
        kojiTag: null,
        baseModules: [{ name: 'platform', stream: 'f42', streamVersion: 420000 }],
        modulemd: JSON.stringify({
          document: 'modulemd',
          version: 2,
          data: {
            name: `m${name}`,
            stream: '1',
            dependencies: [{ requires: Object.fromEntries(requires.map((other) => [`m${other}`, ['1']])) }],
          },
        }),
      })),
    ),
  );
}

/** Everything reachable, each in its highest version with all contexts. */
function expectedOf(graph: readonly Drawn[], start: readonly number[]): string[] {
  const reached = new Set(start);
  for (const name of reached) for (const other of graph[name]?.requires ?? []) reached.add(other);
  return [...reached]
    .flatMap((name) => {
      const { versions = [], contexts = 0 } = graph[name] ?? {};
      const newest = versions.reduce((left, right) => (left > right ? left : right), 0n);
      return Array.from({ length: contexts }, (_, context) => `m${name}:1:${newest}:c${context}`);
    })
    .sort();
}

test('a request gives all that is reachable, each in its newest version with all contexts', () => {
  fc.assert(
    fc.property(
      graphs,
      fc.uniqueArray(fc.nat(MODULES - 1), { minLength: 1, maxLength: 3 }),
      (graph, start) => {
        const wish = {
          words: start.map((name) => `m${name}:1`),
          withDependencies: true,
          includeDone: false,
          baseModuleNames: ['platform'],
          baseModule: { name: null, stream: null, streamVersionLte: null, streamVersionGte: null },
        };
        const { modules, warnings } = resolveModulesIn(wish, indexModuleBuilds(toBuilds(graph)));
        assert.deepEqual(modules.map(formatNsvc), expectedOf(graph, start));
        assert.deepEqual(warnings, []);
      },
    ),
  );
});

import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { test } from 'node:test';

const root = resolve(import.meta.dirname, '..');
const rooms = ['src', 'tests', 'bench', 'supply-chain'].filter((room) => existsSync(join(root, room)));

const texts = new Map(
  rooms.flatMap((room) =>
    readdirSync(join(root, room), { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.ts'))
      .map((name) => join(root, room, name))
      .map((file) => [file, readFileSync(file, 'utf8')] as const),
  ),
);

interface Use {
  readonly by: string;
  readonly name: string;
}

/** Who imports what of each file; `*` is all of it. */
function usesOf(): ReadonlyMap<string, readonly Use[]> {
  const uses: [target: string, use: Use][] = [];
  for (const [by, text] of texts) {
    const note = (specifier: string | undefined, name: string): void => {
      if (specifier?.startsWith('.') === true) uses.push([resolve(dirname(by), specifier), { by, name }]);
    };
    for (const [, names = '', specifier] of text.matchAll(
      /\b(?:import|export)\s+(?:type\s+)?\{([^}]*)\}\s*from\s*'([^']+)'/g,
    )) {
      for (const written of names.split(',')) {
        const name = written
          .trim()
          .replace(/^type\s+/, '')
          .replace(/\s+as\s+.*$/s, '');
        if (name !== '') note(specifier, name);
      }
    }
    const whole = /\*\s*as\s+\w+\s+from\s*'([^']+)'|\bimport\(\s*'([^']+)'\s*\)|\bURL\('([^']+\.ts)'/g;
    for (const [, star, dynamic, url] of text.matchAll(whole)) note(star ?? dynamic ?? url, '*');
    for (const [, beside = ''] of text.matchAll(/\bmoduleBeside\('([^']+)'/g)) note(`./${beside}.ts`, '*');
  }
  return new Map(
    [...Map.groupBy(uses, ([target]) => target)].map(([target, all]) => [target, all.map(([, use]) => use)]),
  );
}

interface Exported {
  readonly file: string;
  readonly name: string;
  readonly isType: boolean;
  /** How often its own file says the name. */
  readonly mentions: number;
}

function exportsOf(file: string, text: string): Exported[] {
  const declarations =
    /^export\s+(?:abstract\s+)?(?:async\s+)?(const|function|class|interface|type)\b\s*\*?\s*(\w+)/gm;
  return [...text.matchAll(declarations)].map(([, kind = '', name = '']) => ({
    file,
    name,
    isType: kind === 'interface' || kind === 'type',
    mentions: [...text.matchAll(new RegExp(`\\b${name}\\b`, 'g'))].length,
  }));
}

const uses = usesOf();
const source = join(root, 'src');
const exported = [...texts]
  .filter(([file]) => file.startsWith(`${source}/`))
  .flatMap(([file, text]) => exportsOf(file, text));

function usersOf({ file, name }: Exported): readonly string[] {
  return (uses.get(file) ?? []).filter((use) => use.name === name || use.name === '*').map(({ by }) => by);
}

const shown = ({ file, name }: Exported): string => `${relative(root, file)}: ${name}`;

/** What only tests use, and why it is there. */
const onlyTested: Readonly<Record<string, string>> = {
  'src/composer/modules/newest-builds.ts: indexModuleBuilds':
    'An MBS in memory: millions of graphs are resolved against it.',
  'src/composer/modules/resolve-modules.ts: resolveModulesIn': 'The same.',
  'src/composer/plan-file.ts: readPlan': 'Proves that a plan is data: it is read back and built.',
  'src/rpm/format-comps.ts: formatCompsTree': 'Comps as the reference composer writes them, for comparing.',
  'src/rpm/header/read-rpm-header.ts: readRpmHeader': 'Headers of any source; the composer reads files.',
  'src/rules/rule-file.ts: formatProblems': 'All problems at once, for a test that fails.',
  'src/upstream/koji/xml-rpc-read.ts: readAnswer': 'A whole answer in memory; the hub is read as a stream.',
};

test('what is exported is imported by somebody, or describes what its file exports', () => {
  const unused = exported.filter(
    (candidate) => usersOf(candidate).length === 0 && (!candidate.isType || candidate.mentions === 1),
  );
  assert.deepEqual(unused.map(shown), []);
});

test('nothing in src is there for tests alone', () => {
  const tested = exported.filter((candidate) => {
    const users = usersOf(candidate);
    return users.length > 0 && candidate.mentions === 1 && !users.some((by) => by.startsWith(`${source}/`));
  });
  assert.deepEqual(tested.map(shown).sort(), Object.keys(onlyTested).sort());
});

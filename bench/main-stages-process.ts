import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import { openTestComposer } from '../tests/composer/open-test-composer.ts';
import { defaultRequest } from '../tests/default-request.ts';
import { noteFigure, type Taken } from './figures.ts';
import { claimed, CLAIMS } from './main-claims.ts';
import { openPhaseTable } from './phases.ts';

const stagesSchema = z.object({
  /** Topmost directory of the packages. */
  tree: z.string(),
  /** A git repository of configurations, with a profile of Koji in it. */
  folder: z.string(),
  data: z.string(),
  isKoji: z.boolean(),
  claim: z.enum(CLAIMS).nullable(),
  /** What the first compose of this process is called. */
  name: z.string(),
  /** Whether more composes follow. */
  isLast: z.boolean(),
  /** Commits: with all packages, and with one less. */
  whole: z.string(),
  less: z.string(),
});

const { tree, folder, data, isKoji, claim, name, isLast, whole, less } = stagesSchema.parse(
  JSON.parse(process.argv[2] ?? ''),
);

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

const { definitions, measure } = openPhaseTable(say);
await using composer = await openTestComposer(
  {
    ...(isKoji ? { koji_profile: 'bench', koji_config: join(folder, 'koji.conf') } : {}),
    data_dir: data,
    repo_roots: [dirname(tree), tree],
    raw_config_urls: { bench: { url: folder, config_filename: 'bench.conf' } },
  },
  definitions,
);

async function make(what: string, commit: string): Promise<{ id: number; taken: Taken }> {
  const { value: compose, taken } = await measure(what, () =>
    composer.compose({ ...defaultRequest, sourceType: 'raw_config', source: [`bench#${commit}`] }),
  );
  if (compose.state !== 'done') throw new Error(compose.stateReason ?? compose.state);
  return { id: compose.id, taken };
}

const inputs = isKoji ? 'of a Koji tag' : 'of repositories';

function note(step: string, when: string, ours: Taken): void {
  if (claim === null) return;
  const { what, pungi } = claimed[claim];
  const id = `main.${claim === 'large' ? '' : `${claim}.`}${isKoji ? 'koji' : 'repositories'}.${step}`;
  noteFigure({ id, what: `${what}, ${inputs}: ${when}`, ours, peers: [pungi] });
}

const { id, taken } = await make(name, whole);
if (!isLast) note('cold', 'nothing known', taken);
if (isLast) {
  const rpms = readFileSync(join(composer.targetDir, `odcs-${id}`, 'compose/metadata/rpms.json'), 'utf8');
  say(`${rpms.match(/"path"/g)?.length ?? 0} entries in rpms.json`);
  note('known', 'headers known, another process', taken);
  note('unchanged', 'nothing changed', (await make('nothing changed', whole)).taken);
  process.send?.('one build more');
  await once(process, 'message');
  note('changed', 'one new build, request to `done`', (await make('one build more', whole)).taken);
  await make('one package less', less);
}
process.disconnect();

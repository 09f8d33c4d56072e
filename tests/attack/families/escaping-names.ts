import { existsSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Attack } from '../attack.ts';

/** Names of arches and of other things that become parts of paths. */
export const escapingNames: Attack = {
  name: 'escaping-names',
  faults: ['A1'],
  does: 'Asks for composes whose arches, packages, labels and directories are paths that lead out.',
  async run(context) {
    const { random, victim, goodRepository: source } = context;
    const bait = `pwned-${random.below(1e9)}`;
    const repo = { type: 'repo', source, packages: ['curl'] };
    const arches = [
      `../../../odcs-${victim}/compose/Temporary/x86_64`,
      ...[3, 4, 5].map((depth) => `${'../'.repeat(depth)}${bait}`),
      '..',
      '.',
      `x86_64/../../../../${bait}`,
      `/${bait}`,
      `..\\..\\${bait}`,
      '%2e%2e',
      'source',
      'a'.repeat(5_000),
      'x86_64\u0000',
      ' ',
    ];
    const few = context.isShort ? arches.slice(0, 3) : arches;
    for (const arch of few) {
      if (context.signal.aborted) return;
      await context.compose({ source: repo, flags: ['no_deps'], arches: ['x86_64', arch] }, 30);
      const path = join(tmpdir(), bait);
      if (existsSync(path)) {
        context.report('escaped', `arch ${JSON.stringify(arch)} wrote ${path}`);
        rmSync(path, { recursive: true, force: true });
      }
    }
    const bodies = [
      {
        source: repo,
        arches: ['x86_64'],
        multilib_arches: [`../../../../${bait}`],
        multilib_method: ['all'],
      },
      { source: repo, arches: ['x86_64'], target_dir: `../${bait}` },
      { source: repo, arches: ['x86_64'], label: `../../${bait}` },
      { source: { ...repo, packages: [`../../${bait}`] }, arches: ['x86_64'] },
      { source: { type: 'repo', source: `${source}/../../${bait}` }, arches: ['x86_64'] },
      { source: { type: 'compose', source: `../${bait}` } },
      { source: { type: 'tag', source: `../../${bait}`, packages: ['a'] } },
    ];
    for (const body of bodies) {
      if (context.signal.aborted) return;
      await context.compose(body, context.isShort ? 2 : 15);
    }
  },
};

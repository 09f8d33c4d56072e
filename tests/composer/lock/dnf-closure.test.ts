import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { z } from 'zod';
import { shortNevra } from '../../../src/composer/gather/gather-result.ts';
import { completeFiles } from '../../../src/composer/gather/complete-files.ts';
import { fileSourcesOf, loadRepositories } from '../../../src/composer/gather/load-repositories.ts';
import { closeOverRequirements, type Closure } from '../../../src/composer/lock/close-over-requirements.ts';
import { isDebugName } from '../../../src/model/nevra.ts';
import { ensurePackages } from '../../services/debian-packages.ts';
import { makeUniverse } from '../../universe-repository.ts';

const PACKAGES = 2000;
const REQUESTS = 120;
const packages = ensurePackages(['python3-dnf']);
const folder = mkdtempSync(join(tmpdir(), 'odcs-closure-'));
after(() => rmSync(folder, { recursive: true, force: true }));

const answerSchema = z.array(
  z.union([z.object({ packages: z.array(z.string()) }), z.object({ error: z.string() })]),
);
interface Asked {
  readonly install: readonly string[];
  readonly only?: readonly string[];
}

function askDnf(repo: string, requests: readonly Asked[]): z.infer<typeof answerSchema> {
  const state = join(folder, 'dnf');
  mkdirSync(state, { recursive: true });
  const run = spawnSync('/usr/bin/python3', [join(import.meta.dirname, 'dnf-install.py')], {
    input: JSON.stringify({ repo, folder: state, requests }),
    encoding: 'utf8',
    maxBuffer: 2 ** 28,
  });
  assert.equal(run.status, 0, run.stderr);
  return answerSchema.parse(JSON.parse(run.stdout));
}

/** A repeatable sequence of whole numbers below a bound. */
function drawing(seed: number): (bound: number) => number {
  let state = seed;
  return (bound) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * bound);
  };
}

test(
  'a closure is what dnf installs, or dnf installs just it where it had to choose',
  packages.ready ? {} : { skip: packages.reason },
  async (context) => {
    const repo = await makeUniverse(folder, PACKAGES, 7);
    const loaded = await loadRepositories({}, [{ location: repo, isLookaside: false }]);
    await completeFiles(loaded.index, fileSourcesOf(loaded));
    const { index } = loaded;
    const draw = drawing(11);
    const names = [
      ...new Set(
        Array.from({ length: index.count }, (_none, id) => id)
          .filter((id) => !index.isSource(id) && ['x86_64', 'noarch'].includes(index.archOf(id)))
          .map((id) => index.nameOf(id))
          .filter((name) => !isDebugName(name)),
      ),
    ];
    const specs = Array.from({ length: REQUESTS }, () =>
      Array.from({ length: 1 + draw(3) }, () => names[draw(names.length)] ?? ''),
    );
    const close = (list: readonly string[]): Closure =>
      closeOverRequirements(index, { arch: 'x86_64', specs: list, installed: [], assumed: [] });
    const nevrasOf = (closure: Closure): string[] =>
      closure.ids.map((id) => shortNevra(index.nevraOf(id))).sort();
    const closures = specs.map(close);
    const dnf = askDnf(
      repo,
      specs.map((install) => ({ install })),
    );
    const seen = { equal: 0, other: 0, refused: 0 };
    const doubtful: Asked[] = [];
    for (const [at, closure] of closures.entries()) {
      const answer = dnf[at];
      assert.ok(answer !== undefined);
      const own = nevrasOf(closure);
      if ('error' in answer) {
        seen.refused += 1;
        continue;
      }
      assert.deepEqual(closure.broken, [], `dnf installs ${specs[at]?.join(' ')}`);
      if (JSON.stringify(own) === JSON.stringify(answer.packages)) seen.equal += 1;
      else {
        seen.other += 1;
        doubtful.push({ install: specs[at] ?? [], only: own });
      }
    }
    context.diagnostic(JSON.stringify(seen));
    assert.equal(seen.refused, 0);
    assert.ok(seen.equal >= REQUESTS * 0.9, JSON.stringify(seen));
    for (const [at, answer] of askDnf(repo, doubtful).entries()) {
      assert.ok('packages' in answer, `${doubtful[at]?.install.join(' ')}: ${JSON.stringify(answer)}`);
    }
  },
);

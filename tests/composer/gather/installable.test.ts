import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { hash } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { shortNevra, type GatherResult } from '../../../src/composer/gather/gather-result.ts';
import {
  fileSourcesOf,
  gatherWithFiles,
  loadRepositories,
} from '../../../src/composer/gather/load-repositories.ts';
import type { PackageFragments } from '../../../src/rpm/package-fragments.ts';
import { readFragments } from '../../../src/rpm/repodata/read-fragments.ts';
import { makeUniverse } from '../../universe-repository.ts';

const PACKAGES = 2000;
const REQUESTS = 200;
const folder = mkdtempSync(join(tmpdir(), 'odcs-installable-'));
after(() => rmSync(folder, { recursive: true, force: true }));

/** A repeatable sequence of whole numbers below a bound. */
function drawing(seed: number): (bound: number) => number {
  let state = seed;
  return (bound) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * bound);
  };
}

/** Writes the packages of a result as a repository of their own, out of fragments. */
function writeCompose(
  directory: string,
  result: GatherResult,
  fragments: ReadonlyMap<string, PackageFragments>,
): void {
  const parts: Buffer[] = [];
  const lists: Buffer[] = [];
  for (const id of result.binary) {
    const found = fragments.get(result.index.pkgidOf(id));
    assert.ok(found !== undefined);
    const location = `<location href="${result.index.locationOf(id).href}"/>`;
    const primary = Buffer.from(found.primary);
    const { locationOffset } = found;
    parts.push(primary.subarray(0, locationOffset), Buffer.from(location), primary.subarray(locationOffset));
    lists.push(Buffer.from(found.filelists));
  }
  const common =
    'xmlns="http://linux.duke.edu/metadata/common" xmlns:rpm="http://linux.duke.edu/metadata/rpm"';
  const write = (type: string, head: string, content: readonly Buffer[], tail: string): void => {
    const packed = gzipSync(Buffer.concat([Buffer.from(head), ...content, Buffer.from(tail)]), { level: 1 });
    writeFileSync(join(directory, 'repodata', `${type}.xml.gz`), packed);
  };
  mkdirSync(join(directory, 'repodata'), { recursive: true });
  const count = result.binary.length;
  write('primary', `<metadata ${common} packages="${count}">`, parts, '</metadata>');
  const lead = `<filelists xmlns="http://linux.duke.edu/metadata/filelists" packages="${count}">`;
  write('filelists', lead, lists, '</filelists>');
}

function solve(tasks: readonly { repo: string; requests: readonly (readonly string[])[] }[]): string[][][] {
  const program = join(import.meta.dirname, 'install.py');
  const run = spawnSync('/usr/bin/python3', [program], {
    input: JSON.stringify(tasks),
    encoding: 'utf8',
    maxBuffer: 2 ** 28,
  });
  assert.equal(run.status, 0, run.stderr);
  return JSON.parse(run.stdout) as string[][][];
}

test(`every package of ${REQUESTS} random requests installs from its own compose, where the universe allows it`, async () => {
  const universe = await makeUniverse(join(folder, 'universe'), PACKAGES, 7);
  const loaded = await loadRepositories({}, [{ location: universe, isLookaside: false }]);
  const [repository] = loaded.repositories;
  assert.ok(repository !== undefined);
  const { index } = loaded;
  const draw = drawing(11);
  const binaries = [...Array(index.count).keys()].filter((id) => !index.isSource(id));
  const composes: { result: GatherResult; request: string[] }[] = [];
  const pkgids = new Set<string>();
  const composed = new Map<string, number>();
  for (let at = 0; at < REQUESTS; at += 1) {
    const asked = Array.from({ length: 1 + draw(4) }, () => binaries[draw(binaries.length)] ?? 0);
    const packages = asked.map((id) => index.nameOf(id));
    const result = await gatherWithFiles({}, index, fileSourcesOf(loaded), {
      arch: 'x86_64',
      packages,
      greedy: 'build',
    });
    assert.deepEqual(result.missing, []);
    const request = result.binary.filter((id) => result.why(id)?.kind === 'input');
    for (const id of result.binary) pkgids.add(index.pkgidOf(id));
    composes.push({ result, request: request.map((id) => shortNevra(index.nevraOf(id))) });
    composed.set(hash('sha256', packages.join()), result.binary.length);
  }
  const fragments = await readFragments(repository, pkgids);
  const tasks = composes.map(({ result, request }, at) => {
    const repo = join(folder, `compose-${at}`);
    writeCompose(repo, result, fragments);
    return { repo, requests: request.map((name) => [name]) };
  });
  const alone = solve(tasks);
  const singles = [...new Set(composes.flatMap(({ request }) => request))];
  const whole = solve([{ repo: universe, requests: singles.map((name) => [name]) }])[0] ?? [];
  const isImpossible = new Set(singles.filter((_, at) => (whole[at] ?? []).length > 0));
  const failures: string[] = [];
  let solved = 0;
  composes.forEach(({ request }, at) => {
    request.forEach((name, which) => {
      const problems = alone[at]?.[which] ?? ['not solved'];
      if (isImpossible.has(name)) return;
      solved += 1;
      if (problems.length > 0) failures.push(`${name}: ${problems.join('; ')}`);
    });
  });
  assert.deepEqual(failures, []);
  assert.ok(solved >= REQUESTS, `only ${solved} packages could be asked for`);
  assert.ok(composed.size > REQUESTS / 2);
});

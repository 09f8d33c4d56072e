import { gather } from '../../src/composer/gather/gather.ts';
import { matchNamePattern } from '../../src/model/name-pattern.ts';
import { compareVersions, parseEvr } from '../../src/model/evr.ts';
import { parseRichDependency } from '../../src/rpm/rich-dependency.ts';
import { addRecords } from '../../src/composer/gather/add-records.ts';
import { encodeRecord } from '../../src/rpm/record-bytes.ts';
import { GatherIndex } from '../../src/composer/gather/gather-index.ts';
import type { FuzzRun } from './main.ts';
import { fuzzCases, type Mutate } from './mutate.ts';

const seeds = [
  '(a and b)',
  '((a or b >= 1:2-3) if (c with d < 4) else (e without f))',
  '(perl(Foo::Bar) >= 2.0 with perl(Foo::Bar) < 3)',
  '*[!a-z]?foo*bar[',
  '1:2.0~rc1^git5-3.fc42',
  '('.repeat(300),
  `(${'a or '.repeat(400)}b)`,
].map((text) => Buffer.from(text));

function makeCase(): (mutate: Mutate) => Promise<void> {
  let turn = 0;
  return async (mutate) => {
    turn += 1;
    const text = mutate(seeds[turn % seeds.length] ?? Buffer.alloc(0)).toString('utf8');
    const index = new GatherIndex();
    const repository = index.addRepository({ name: 'fuzz', isLookaside: false });
    const nevra = {
      epoch: '0',
      version: '1',
      release: '1',
      arch: 'x86_64',
      sourceRpm: null,
      primaryFiles: [],
    };
    addRecords(index, repository, [
      {
        record: encodeRecord({ ...nevra, name: 'wants', requires: [{ name: text }], provides: [] }),
        pkgid: '1',
        href: 'a',
        files: [],
      },
      {
        record: encodeRecord({ ...nevra, name: 'a', requires: [], provides: [{ name: text }] }),
        pkgid: '2',
        href: 'b',
        files: [],
      },
    ]);
    gather({}, index, { arch: 'x86_64', packages: ['wants'] });
    matchNamePattern(text.slice(0, 4096))('a'.repeat(200));
    compareVersions(text, parseEvr(text).version);
    parseRichDependency(text);
  };
}

/** Reads changed dependencies, patterns and versions, and gathers with them; only typed errors may come out. */
export async function fuzz(run: FuzzRun): Promise<number> {
  return fuzzCases(run, makeCase());
}

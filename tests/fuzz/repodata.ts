import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { addPrimary } from '../../src/composer/gather/add-packages.ts';
import { gather } from '../../src/composer/gather/gather.ts';
import { GatherIndex } from '../../src/composer/gather/gather-index.ts';
import { parseComps } from '../../src/rpm/comps.ts';
import { decompress } from '../../src/rpm/repodata/decompress.ts';
import { parseRepomd } from '../../src/rpm/repodata/repomd.ts';
import { scanFilelists } from '../../src/rpm/repodata/scan-filelists.ts';
import { sharedPath } from '../shared.ts';
import type { FuzzRun } from './main.ts';
import { fuzzCases, type Mutate } from './mutate.ts';

const LIMIT = 4 * 1024 * 1024;

function makeCase(): (mutate: Mutate) => Promise<void> {
  const folder = sharedPath('pungi', 'repos', 'edge-lookaside', 'repodata');
  const repomd = readFileSync(`${folder}/repomd.xml`);
  const packedPrimary = readFileSync(`${folder}/primary.xml.gz`);
  const primary = gunzipSync(packedPrimary);
  const filelists = gunzipSync(readFileSync(`${folder}/filelists.xml.gz`));
  const comps = Buffer.from(
    '<comps><group><id>a</id><packagereq type="conditional" requires="b">c</packagereq></group></comps>',
  );
  const targets = [
    (mutate: Mutate) => parseRepomd(mutate(repomd), 'repomd.xml'),
    async (mutate: Mutate) => {
      const index = new GatherIndex();
      const repository = index.addRepository({ name: 'fuzz', isLookaside: false });
      const content = mutate(primary);
      await addPrimary(index, repository, [content], 'primary.xml', content.length);
      gather({}, index, { arch: 'x86_64', packages: ['*'], greedy: 'build', fulltree: true });
    },
    (mutate: Mutate) =>
      scanFilelists([mutate(filelists)], 'filelists.xml', { package: () => true, file: () => undefined }),
    (mutate: Mutate) => parseComps(mutate(comps), 'comps.xml'),
    (mutate: Mutate) => decompress(mutate(packedPrimary), LIMIT, 'primary.xml.gz'),
  ];
  let turn = 0;
  return async (mutate) => {
    turn += 1;
    await targets[turn % targets.length]?.(mutate);
  };
}

/** Reads changed repomd, primary, filelists, comps and compressed bytes; only typed errors may come out. */
export async function fuzz(run: FuzzRun): Promise<number> {
  return fuzzCases(run, makeCase());
}

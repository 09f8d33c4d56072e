import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { parentPort, workerData } from 'node:worker_threads';
import { SaxesParser } from 'saxes';
import { ReactorError } from '../../src/model/errors.ts';
import { digestsOf } from '../../src/rpm/header/rpm-facts.ts';
import { parseRpmHeader } from '../../src/rpm/header/rpm-header.ts';
import { sigkeyOf } from '../../src/rpm/header/sigkey.ts';
import { recordOf } from '../../src/rpm/record-of.ts';
import { makeFragments } from '../../src/rpm/repodata/make-fragments.ts';
import { buildRpm, plainTags, string, strings } from '../rpm/header/build-rpm.ts';
import { sharedPath } from '../shared.ts';
import { Random } from './random.ts';

interface Given {
  readonly seed: number;
  readonly lasting: number;
  readonly shared: Int32Array;
}

const LEAD = 96;
const MOST_SEED_BYTES = 64 * 1024;
const INTERESTING = [
  0, 1, 2, 7, 8, 16, 61, 62, 63, 255, 0x7fff, 0xffff, 0x10000, 0x7fffffff, 0x80000000, 0xffffffff,
] as const;
const BYTES = [0, 1, 10, 34, 38, 47, 60, 62, 127, 128, 0xc3, 0xed, 0xef, 0xff] as const;

/** Headers of real packages, and two made up: one before version 4, one with unusual text. */
function readSeeds(): [Buffer, ...Buffer[]] {
  const odd = new Map([
    ...plainTags('odd'),
    [1005, string('caf\xe9 <&> \x01')] as const,
    [278, strings('AAAA')] as const,
  ]);
  const seeds: [Buffer, ...Buffer[]] = [
    buildRpm({ main: plainTags('old'), format: 3 }),
    buildRpm({ main: odd }),
  ];
  for (const tree of ['odcs/repo', 'pungi/repos']) {
    const names = readdirSync(sharedPath(tree), { recursive: true, encoding: 'utf8' });
    for (const name of names
      .filter((file) => file.endsWith('.rpm'))
      .sort()
      .slice(0, 60)) {
      const bytes = readFileSync(join(sharedPath(tree), name));
      const { end } = parseRpmHeader(bytes, name).main;
      if (end <= MOST_SEED_BYTES) seeds.push(bytes.subarray(0, end));
    }
  }
  return seeds;
}

/** The offset of an index entry of one of the two headers, or of its introduction. */
function pickEntry(random: Random, bytes: Buffer): number {
  const isFirst = random.below(4) === 0;
  const count = bytes.readUInt32BE(LEAD + 8);
  const end = LEAD + 16 + count * 16 + bytes.readUInt32BE(LEAD + 12);
  const start = isFirst ? LEAD : Math.ceil(end / 8) * 8;
  const entries = start + 16 <= bytes.byteLength ? Math.min(bytes.readUInt32BE(start + 8), 200) : 0;
  return start + 16 * random.below(entries + 1);
}

function mutate(random: Random, seeds: readonly [Buffer, ...Buffer[]], bytes: Buffer): Buffer {
  const size = bytes.byteLength;
  switch (random.below(8)) {
    case 0:
      return bytes.subarray(0, random.below(size));
    case 1:
      bytes[random.below(size)] = random.pick(BYTES);
      return bytes;
    case 2: {
      const at = Math.min(size - 4, random.below(size));
      bytes.writeUInt32BE(random.pick(INTERESTING), at);
      return bytes;
    }
    case 3:
    case 4: {
      const at = Math.min(size - 16, pickEntry(random, bytes)) + 4 * random.below(4);
      const old = bytes.readUInt32BE(at);
      const value = random.below(2) === 0 ? random.pick(INTERESTING) : old + random.below(65) - 32;
      bytes.writeUInt32BE(value >>> 0, at);
      return bytes;
    }
    case 5: {
      const from = Math.min(size - 16, pickEntry(random, bytes));
      const to = Math.min(size - 16, pickEntry(random, bytes));
      bytes.copy(bytes, to, from, from + 16);
      return bytes;
    }
    case 6: {
      const other = random.pick(seeds);
      const at = random.below(Math.min(size, other.byteLength));
      return Buffer.concat([bytes.subarray(0, at), other.subarray(at)]);
    }
    default: {
      const at = random.below(size);
      return bytes.fill(random.pick(BYTES), at, Math.min(size, at + random.below(64)));
    }
  }
}

function parseXml(xml: Uint8Array): void {
  const parser = new SaxesParser();
  parser.on('error', (error) => {
    throw error;
  });
  parser.write(new TextDecoder('utf-8', { fatal: true }).decode(xml)).close();
}

function tryCase(bytes: Buffer): void {
  try {
    const header = parseRpmHeader(bytes, 'case');
    recordOf(header);
    sigkeyOf(header);
    digestsOf(header);
    const facts = { pkgid: 'f'.repeat(64), size: bytes.byteLength, fileTime: 1 };
    const { primary, filelists, other } = makeFragments(header, facts);
    for (const xml of [primary, filelists, other]) parseXml(xml);
  } catch (error) {
    const isMet =
      error instanceof ReactorError && error.code.startsWith('rpm.') && /^case:\d+$/.test(error.where ?? '');
    if (!isMet) throw error;
  }
}

const given: Given = workerData;
const seeds = readSeeds();
let count = 0;
const until = Date.now() + given.lasting;
while (Date.now() < until) {
  Atomics.store(given.shared, 0, count);
  const random = new Random(given.seed + count);
  let bytes: Buffer = Buffer.from(random.pick(seeds));
  for (let step = random.below(4); step >= 0 && bytes.byteLength > LEAD + 32; step -= 1) {
    bytes = mutate(random, seeds, bytes);
  }
  tryCase(bytes);
  count += 1;
}
parentPort?.postMessage(count, []);

import { mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { parseArgs } from 'node:util';
import { gzipSync } from 'node:zlib';
import { LRUCache } from 'lru-cache';
import { treeDirectories } from '../src/composer/compose-trees.ts';
import { lockCompose } from '../src/composer/lock/lock-compose.ts';
import { RepositoryCache } from '../src/composer/repositories/repository-cache.ts';
import { temporaryVariant } from '../src/composer/selection.ts';
import { everything } from '../src/model/lock-request.ts';
import { uniteAdvisories, type Advisory } from '../src/rpm/advisory.ts';
import { formatLockFile } from '../src/rpm/lock-file.ts';
import { formatUpdateinfo } from '../src/rpm/format-updateinfo.ts';
import { noteFigure } from './figures.ts';
import { makeUniverse } from '../tests/universe-repository.ts';

const ARCH = 'x86_64';
const REQUESTED = 200;
const ROUNDS = 9;

interface Times {
  readonly first: number;
  readonly median: number;
  /** CPU of the rounds after the first, each, in milliseconds. */
  readonly cpu: number;
}

/** Times work again and again, in milliseconds. */
async function timeRounds(work: () => Promise<void> | void): Promise<Times> {
  const times: number[] = [];
  let cpu = process.cpuUsage();
  for (let round = 0; round <= ROUNDS; round += 1) {
    if (round === 1) cpu = process.cpuUsage();
    const start = performance.now();
    await work();
    times.push(performance.now() - start);
  }
  const used = process.cpuUsage(cpu);
  const [first = 0, ...warm] = times;
  const median = warm.toSorted((left, right) => left - right)[ROUNDS >> 1] ?? 0;
  return { first, median, cpu: (used.user + used.system) / 1000 / ROUNDS };
}

/** Makes advisories about packages, five each, with texts and references as people write them. */
function makeAdvisories(count: number): readonly Advisory[] {
  return Array.from({ length: count }, (_, at): Advisory => {
    const cves = [0, 1, 2].map((nth) => `CVE-2026-${10_000 + at * 3 + nth}`);
    return {
      id: `FEDORA-2026-${String(at).padStart(10, '0')}`,
      from: 'updates@example.com',
      status: 'stable',
      type: at % 3 === 0 ? 'security' : 'bugfix',
      version: '2.0',
      title: `package-${at}-1.0-${at}.fc44`,
      issued: '2026-11-20 10:00:00',
      updated: '2026-11-21 10:00:00',
      severity: 'Important',
      release: 'Fedora 44',
      rights: '',
      summary: `FEDORA-2026-${at} update`,
      description: `Fixes ${cves.join(', ')} & more.\n\n`.repeat(8),
      solution: '',
      references: cves.map((id) => ({ href: `https://www.cve.org/${id}`, id, title: id, type: 'cve' })),
      collections: [
        {
          short: 'F44',
          name: 'Fedora 44',
          module: null,
          packages: Array.from({ length: 5 }, (_one, of) => ({
            name: `package-${at}-${of}`,
            epoch: '0',
            version: '1.0',
            release: `${at}.fc44`,
            arch: ARCH,
            fileName: `package-${at}-${of}-1.0-${at}.fc44.${ARCH}.rpm`,
            source: `package-${at}-1.0-${at}.fc44.src.rpm`,
            suggests: [],
          })),
        },
      ],
    };
  });
}

/** Times lock files of a compose of 60,000 packages, and the updateinfo of 5,000 advisories; targets 100 ms each, warm. */
export async function run(argv: readonly string[]): Promise<void> {
  const { values } = parseArgs({ args: [...argv], options: { short: { type: 'boolean', default: false } } });
  const packages = values.short ? 2_000 : 60_000;
  const advisories = makeAdvisories(values.short ? 500 : 5_000);
  const folder = mkdtempSync(join(tmpdir(), 'bench-lock-'));
  try {
    const repository = await makeUniverse(join(folder, 'universe'), packages, 7);
    const trees = treeDirectories(temporaryVariant, ARCH);
    for (const { repository: path } of [trees.binary, trees.source]) {
      const place = join(folder, 'compose', path);
      mkdirSync(dirname(place), { recursive: true });
      symlinkSync(repository, place);
    }
    const context = {
      repositories: new RepositoryCache({ most: 4 }),
      artifacts: new LRUCache<string, ReadonlySet<string>>({ max: 4 }),
      signal: new AbortController().signal,
    };
    const compose = {
      id: 1,
      directory: join(folder),
      url: 'https://odcs.example.com/odcs-1',
      repoid: 'odcs-1',
      arches: [ARCH],
    };
    const all = await lockCompose(context, compose, { ...everything, hasSources: false });
    const names = (all.arches[0]?.packages ?? [])
      .map(({ name }) => name)
      .filter((name) => !/-debug(?:info|source)$/.test(name));
    const step = Math.max(1, Math.floor(names.length / REQUESTED));
    const wanted = names.filter((_, at) => at % step === 0).slice(0, REQUESTED);
    const request = {
      ...everything,
      packages: wanted.map((spec) => ({ spec, only: null, not: [] })),
      isBrokenAllowed: true,
    };
    let locked = 0;
    const closure = await timeRounds(async () => {
      const file = await lockCompose(context, compose, request);
      locked = file.arches[0]?.packages.length ?? 0;
      formatLockFile(file);
    });
    const written = await timeRounds(() => {
      gzipSync(formatUpdateinfo(uniteAdvisories(advisories)), { level: 6 });
    });
    noteFigure({
      id: 'lock',
      what: `lock file of ${wanted.length} packages with their closure out of ${names.length.toLocaleString('en')}`,
      ours: { cpuMs: closure.cpu, wallMs: closure.median },
      peers: [],
    });
    noteFigure({
      id: 'updateinfo',
      what: `updateinfo of ${advisories.length.toLocaleString('en')} advisories`,
      ours: { cpuMs: written.cpu, wallMs: written.median },
      peers: [],
    });
    const say = (what: string, { first, median, cpu }: Times): string =>
      `${what}: first ${first.toFixed(0)} ms, median ${median.toFixed(0)} ms, ${cpu.toFixed(0)} ms of CPU\n`;
    process.stdout.write(
      say(
        `lock file of ${wanted.length} packages with their closure, ${locked}, out of ${names.length}`,
        closure,
      ) + say(`updateinfo of ${advisories.length} advisories, united, written and packed`, written),
    );
  } finally {
    rmSync(folder, { recursive: true });
  }
}

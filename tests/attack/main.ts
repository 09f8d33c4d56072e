import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { Random } from '../fuzz/random.ts';
import { ensurePackages } from '../services/debian-packages.ts';
import { postgresqlPackages, startPostgresql } from '../services/postgresql.ts';
import type { Attack, Harm } from './attack.ts';
import { attacks } from './families/list.ts';
import { besiege, type SiegeResult } from './siege.ts';
import { limits } from './watch.ts';

const help = `usage: npm run attack -- [--minutes N] [--short] [--json] [--only LIST] [--seed NUMBER]
                         [--url URL | --service DIR]

Starts a service with an embedded database, and one on PostgreSQL where that is installed, on loopback
ports and in temporary directories, and attacks it: hostile requests, messages, files and upstreams.
Watches whether it escapes (changes, publishes or asks what it may not), freezes, answers 5xx, or takes
more than promised (${limits.memory} MiB of memory and ${limits.disk} MiB of disk more than before, bytes and processor time as the
attack says). The last line is JSON; exit code 1 where anything was found.

  --minutes N   how long in all, 10 by default; every family runs at least once
  --short       each family once and small, embedded only
  --json        nothing but the last line
  --only LIST   names of families or of faults (A1,slow-xml)
  --seed N      makes the random choices of a run again
  --url URL     attacks a service that runs already, on a loopback address; it is left as it comes out
  --service DIR attacks the service of another checkout, with its dependencies installed, such as one of
                an earlier version

${attacks.map(({ name, faults, does }) => `  ${name.padEnd(20)} ${does}${faults.length === 0 ? '' : ` (${faults.join(', ')})`}`).join('\n')}
`;

/** Returns the families that a list names. Throws for a name that is none. */
function chooseAttacks(only: string | undefined): readonly Attack[] {
  if (only === undefined) return attacks;
  const wanted = only.split(',');
  const isNamed = (attack: Attack, name: string): boolean =>
    attack.name === name || attack.faults.includes(name);
  const unknown = wanted.find((name) => !attacks.some((attack) => isNamed(attack, name)));
  if (unknown !== undefined) throw new Error(`there is no family "${unknown}"`);
  return attacks.filter((attack) => wanted.some((name) => isNamed(attack, name)));
}

function checkUrl(url: string | undefined): string | null {
  if (url === undefined) return null;
  const parsed = new URL(url);
  if (!/^(127(\.\d+){3}|localhost|\[::1\])$/.test(parsed.hostname)) {
    throw new Error(`${url} is not on this machine: only what listens on a loopback address is attacked`);
  }
  return parsed.origin;
}

function checkCheckout(directory: string | undefined): string | null {
  if (directory === undefined) return null;
  if (!existsSync(join(directory, 'src/main.ts')))
    throw new Error(`${directory} is no checkout of the service`);
  return resolve(directory);
}

function countHarm({ findings }: Pick<SiegeResult, 'findings'>, harm: Harm): number {
  return findings.filter((finding) => finding.harm === harm).length;
}

async function run(): Promise<number> {
  const { values } = parseArgs({
    options: {
      minutes: { type: 'string', default: '10' },
      short: { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
      only: { type: 'string' },
      seed: { type: 'string' },
      url: { type: 'string' },
      service: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    process.stdout.write(help);
    return 0;
  }
  const minutes = Number(values.minutes);
  const seed = Number(values.seed ?? Date.now() % 1_000_000_007);
  if (!(minutes > 0) || !Number.isInteger(seed)) throw new Error('--minutes and --seed are numbers');
  const chosen = chooseAttacks(values.only);
  const url = checkUrl(values.url);
  const checkout = checkCheckout(values.service);
  const say = (line: string): void => {
    if (!values.json) process.stdout.write(`${line}\n`);
  };
  say(`seed ${seed}`);
  const start = Date.now();
  const random = new Random(seed);
  const abort = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => abort.abort());
  const { signal } = abort;
  const common = { attacks: chosen, random, isShort: values.short, url, checkout, signal, say };
  const results: SiegeResult[] = [];
  const isTwice = url === null && !values.short && ensurePackages([...postgresqlPackages]).ready;
  say(url ?? checkout ?? 'embedded database');
  const first = start + minutes * (isTwice ? 30_000 : 60_000);
  results.push(await besiege({ ...common, until: first, databaseUrl: null }));
  if (isTwice && !signal.aborted) {
    say('PostgreSQL');
    const postgresql = await startPostgresql();
    try {
      const until = start + minutes * 60_000;
      results.push(await besiege({ ...common, until, databaseUrl: postgresql.url }));
    } finally {
      await postgresql.stop();
    }
  }
  const findings = results.flatMap((result) => result.findings);
  const count = (harm: Harm): number => countHarm({ findings }, harm);
  const summary = {
    escaped: count('escaped'),
    frozen: count('frozen'),
    serverErrors: count('serverErrors'),
    overLimit: count('overLimit'),
    attacks: results.reduce((sum, result) => sum + result.attacks, 0),
    families: chosen.length,
    rounds: results.reduce((sum, result) => sum + result.rounds, 0),
    databases: results.length,
    seconds: Math.round((Date.now() - start) / 1000),
    seed,
  };
  process.stdout.write(`${JSON.stringify(summary)}\n`);
  return findings.length === 0 ? 0 : 1;
}

try {
  process.exitCode = await run();
} catch (error) {
  process.stderr.write(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
  process.exitCode = 2;
}

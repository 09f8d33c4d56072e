import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { systemClock } from '../src/clock.ts';
import { loadConfig } from '../src/config.ts';
import { createLog } from '../src/log.ts';
import { startReactor, type Reactor } from '../src/app/reactor.ts';
import { formatBlock, measureLongestBlock } from '../tests/longest-block.ts';
import { postCompose, waitForEnd } from '../tests/composer/service-calls.ts';
import { startPostgresql } from '../tests/services/postgresql.ts';
import { sendTagEvent, writeTagRule } from './tag-event.ts';

const FIRST_LOOK_MS = 5_000;
const LOOK_EVERY_MS = 20;

export interface BenchService {
  readonly hub: string;
  /** The top directory. */
  readonly tree: string;
  /** Tags the last build, and answers once the hub shows it. */
  readonly tagLast: () => Promise<void>;
  readonly say: (text: string) => void;
}

interface Peer {
  readonly cold: number;
  readonly update: number;
}

/** Seconds of createrepo_c for the repositories of a published compose, their links given. */
function measurePeer(compose: string, directory: string, options: readonly string[]): Peer {
  const copy = mkdtempSync(join(directory, 'peer-'));
  execFileSync('cp', ['-al', join(compose, 'compose', 'Temporary'), copy]);
  const trees = ['x86_64/os', 'x86_64/debug/tree', 'source/tree'].map((tree) =>
    join(copy, 'Temporary', tree),
  );
  for (const tree of trees) rmSync(join(tree, 'repodata'), { recursive: true, force: true });
  const run = (more: readonly string[]): number => {
    const begin = performance.now();
    for (const tree of trees) {
      execFileSync('createrepo_c', ['-q', '--workers', '2', ...options, ...more, tree]);
    }
    return (performance.now() - begin) / 1000;
  };
  return { cold: run([]), update: run(['--update', '--skip-stat']) };
}

/** Wall and CPU seconds of this process since then. */
function timesSince(begin: number, cpu: NodeJS.CpuUsage): string {
  const { user, system } = process.cpuUsage(cpu);
  const wall = ((performance.now() - begin) / 1000).toFixed(2);
  return `${wall.padStart(7)} s wall ${((user + system) / 1e6).toFixed(2).padStart(7)} s CPU`;
}

/** Returns the compose of the first request that a rule made since then, once it is there. */
async function findRequested({ database }: Pick<Reactor, 'database'>, since: Date): Promise<number> {
  for (;;) {
    const row = await database.handle
      .selectFrom('compose_requests')
      .innerJoin('composes', 'composes.id', 'compose_requests.compose_id')
      .select('composes.id')
      .where('compose_requests.created_at', '>=', since)
      .executeTakeFirst();
    if (row !== undefined) return row.id;
    await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
  }
}

/**
 * What a service on a real PostgreSQL needs from a request or an event to `done`, links made and published, beside the
 * tree so that links can be made.
 */
export async function measureService({ hub, tree, tagLast, say }: BenchService): Promise<void> {
  const directory = mkdtempSync(join(dirname(tree), 'bench-koji-service-'));
  const postgresql = await startPostgresql();
  writeFileSync(join(directory, 'koji.conf'), `[bench]\nserver = ${hub}\ntopdir = ${tree}\n`);
  const { config } = loadConfig({
    file: undefined,
    environment: {},
    overrides: {
      data_dir: join(directory, 'data'),
      database_url: postgresql.url,
      port: 0,
      rules_dir: writeTagRule(directory, '{ source: { type: tag, source: bench } }', 'skip'),
      koji_profile: 'bench',
      koji_config: join(directory, 'koji.conf'),
      arches: ['x86_64'],
      log_level: 'silent',
    },
  });
  const start = () => startReactor({ config, clock: systemClock, log: createLog('silent') });
  const request = { source: { type: 'tag', source: 'bench' }, flags: ['no_reuse'] };
  const compose = async (url: string, what: string): Promise<number> => {
    const begin = performance.now();
    const cpu = process.cpuUsage();
    const { value: done, block } = await measureLongestBlock(async () => {
      const { id } = await postCompose(url, request);
      return waitForEnd(url, id);
    });
    if (done.state_name !== 'done') throw new Error(done.state_reason ?? done.state_name);
    say(`${what.padEnd(58)} ${timesSince(begin, cpu)}  longest block ${formatBlock(block)}`);
    return (performance.now() - begin) / 1000;
  };
  try {
    await using first = await start();
    const cold = await compose(first.url, 'compose, nothing known, POST to done');
    await first.stop();
    const known = join(config.data_dir, 'cache', 'koji');
    // Their format is in the name of their directory.
    for (const name of readdirSync(known).filter((one) => one.startsWith('sets-'))) {
      rmSync(join(known, name), { recursive: true });
    }
    await using reactor = await start();
    await compose(reactor.url, 'compose, digests and metadata known, new process state');
    await compose(reactor.url, 'compose again, nothing changed, no reuse');
    // The first look for lost messages has to be over, or it finds the build before the event tells of it.
    await new Promise((resolve) => setTimeout(resolve, FIRST_LOOK_MS));
    await tagLast();
    const begin = performance.now();
    const cpu = process.cpuUsage();
    const { value: id, block } = await measureLongestBlock(async () => {
      await sendTagEvent(reactor.url, 1);
      const made = await findRequested(reactor, new Date(performance.timeOrigin + begin));
      const done = await waitForEnd(reactor.url, made);
      if (done.state_name !== 'done') throw new Error(done.state_reason ?? done.state_name);
      return made;
    });
    const times = timesSince(begin, cpu);
    const row = await reactor.database.handle
      .selectFrom('composes')
      .innerJoin('compose_requests', 'composes.id', 'compose_requests.compose_id')
      .select(['composes.time_done', 'compose_requests.started_at'])
      .where('composes.id', '=', id)
      .executeTakeFirstOrThrow();
    const toDone = ((row.time_done?.getTime() ?? 0) - (performance.timeOrigin + begin)) / 1000;
    const toStart = (row.started_at?.getTime() ?? 0) - (performance.timeOrigin + begin);
    say(
      `${'one new build, event to done (settle 0)'.padEnd(58)} ${times}  longest block ${formatBlock(block)}` +
        `  by the clock of the service ${toDone.toFixed(2)} s, event to the start of its plan ${Math.round(toStart)} ms`,
    );
    const published = join(config.target_dir, `odcs-${id}`);
    for (const [name, options] of [
      ['createrepo_c alone', []],
      ['createrepo_c alone, no databases', ['--no-database']],
    ] as const) {
      const peer = measurePeer(published, directory, options);
      say(
        `${name.padEnd(58)} ${peer.cold.toFixed(2).padStart(7)} s, ${(peer.cold / cold).toFixed(1)}x of POST to done; ` +
          `--update --skip-stat ${peer.update.toFixed(2)} s, ${(peer.update / toDone).toFixed(1)}x of event to done`,
      );
    }
    say(`peak memory of the service ${Math.round(process.resourceUsage().maxRSS / 1024)} MB`);
    await reactor.stop();
  } finally {
    await postgresql.stop();
    rmSync(directory, { recursive: true, force: true });
  }
}

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
import { beginNow, noteFigure, peakMib, takenSince, type Begin } from './figures.ts';
import { measureProgram, together, type MeasuredProgram } from './measure-program.ts';
import { sendTagEvent, writeTagRule } from './tag-event.ts';

const FIRST_LOOK_MS = 5_000;
const LOOK_EVERY_MS = 20;

export interface BenchService {
  readonly hub: string;
  /** The top directory. */
  readonly tree: string;
  /** In the tag, with the last build. */
  readonly rpms: number;
  /** Tags the last build, and answers once the hub shows it. */
  readonly tagLast: () => Promise<void>;
  readonly say: (text: string) => void;
}

type PeerRun = Pick<MeasuredProgram, 'wallMs' | 'cpuMs' | 'peakMib'>;

interface Peer {
  readonly cold: PeerRun;
  readonly update: PeerRun;
}

/** Returns what createrepo_c takes for the repositories of a published compose, their links given. */
function measurePeer(compose: string, directory: string, options: readonly string[]): Peer {
  const peerTree = mkdtempSync(join(directory, 'peer-'));
  execFileSync('cp', ['-al', join(compose, 'compose', 'Temporary'), peerTree]);
  const trees = ['x86_64/os', 'x86_64/debug/tree', 'source/tree'].map((tree) =>
    join(peerTree, 'Temporary', tree),
  );
  for (const tree of trees) rmSync(join(tree, 'repodata'), { recursive: true, force: true });
  const run = (more: readonly string[]): PeerRun =>
    together(
      trees.map((tree) =>
        measureProgram('createrepo_c', ['-q', '--workers', '2', ...options, ...more, tree]),
      ),
    );
  return { cold: run([]), update: run(['--update', '--skip-stat']) };
}

/** Wall and CPU seconds of this process since then. */
function timesSince(begin: Begin): string {
  const { wallMs, cpuMs } = takenSince(begin);
  return `${formatSeconds(wallMs)} s wall ${formatSeconds(cpuMs)} s CPU`;
}

function formatSeconds(milliseconds: number): string {
  return (milliseconds / 1000).toFixed(2).padStart(7);
}

/** Returns the compose of the first request that a rule made since then, once it is there. */
async function findRequested({ database }: Pick<Reactor, 'database'>, since: Date): Promise<number> {
  for (;;) {
    const row = await database.kysely
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
export async function measureService({ hub, tree, rpms, tagLast, say }: BenchService): Promise<void> {
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
  const compose = async (url: string, what: string): Promise<ReturnType<typeof takenSince>> => {
    const begin = beginNow();
    const { value: done, block } = await measureLongestBlock(async () => {
      const { id } = await postCompose(url, request);
      return waitForEnd(url, id);
    });
    if (done.state_name !== 'done') throw new Error(done.state_reason ?? done.state_name);
    say(`${what.padEnd(58)} ${timesSince(begin)}  longest block ${formatBlock(block)}`);
    return takenSince(begin);
  };
  try {
    // In a function of its own, so that nothing of that service is held beside the next one.
    const composeCold = async (): Promise<ReturnType<typeof takenSince>> => {
      await using first = await start();
      return await compose(first.url, 'compose, nothing known, POST to done');
    };
    const cold = await composeCold();
    const known = join(config.data_dir, 'cache', 'koji');
    // Their format is in the name of their directory.
    for (const name of readdirSync(known).filter((entry) => entry.startsWith('sets-'))) {
      rmSync(join(known, name), { recursive: true });
    }
    await using reactor = await start();
    await compose(reactor.url, 'compose, digests and metadata known, new process state');
    await compose(reactor.url, 'compose again, nothing changed, no reuse');
    // The first look for lost messages has to be over, or it finds the build before the event tells of it.
    await new Promise((resolve) => setTimeout(resolve, FIRST_LOOK_MS));
    await tagLast();
    const begin = beginNow();
    const { value: id, block } = await measureLongestBlock(async () => {
      await sendTagEvent(reactor.url, 1);
      const made = await findRequested(reactor, new Date(performance.timeOrigin + begin.at));
      const done = await waitForEnd(reactor.url, made);
      if (done.state_name !== 'done') throw new Error(done.state_reason ?? done.state_name);
      return made;
    });
    const times = timesSince(begin);
    const { cpuMs } = takenSince(begin);
    const row = await reactor.database.kysely
      .selectFrom('composes')
      .innerJoin('compose_requests', 'composes.id', 'compose_requests.compose_id')
      .select(['composes.time_done', 'compose_requests.started_at'])
      .where('composes.id', '=', id)
      .executeTakeFirstOrThrow();
    const beganAt = performance.timeOrigin + begin.at;
    const toDone = (row.time_done?.getTime() ?? 0) - beganAt;
    const toStart = (row.started_at?.getTime() ?? 0) - beganAt;
    say(
      `${'one new build, event to done (settle 0)'.padEnd(58)} ${times}  longest block ${formatBlock(block)}` +
        `  by the clock of the service ${(toDone / 1000).toFixed(2)} s, event to the start of its plan ${Math.round(toStart)} ms`,
    );
    const published = join(config.target_dir, `odcs-${id}`);
    // Before the peers, which take none of it.
    const peak = peakMib();
    const usual = measurePeer(published, directory, []);
    const bare = measurePeer(published, directory, ['--no-database']);
    for (const [name, peer] of [
      ['createrepo_c alone', usual],
      ['createrepo_c alone, no databases', bare],
    ] as const) {
      say(
        `${name.padEnd(58)} ${formatSeconds(peer.cold.wallMs)} s wall ${formatSeconds(peer.cold.cpuMs)} s CPU; ` +
          `--update --skip-stat ${formatSeconds(peer.update.wallMs)} s wall ${formatSeconds(peer.update.cpuMs)} s CPU`,
      );
    }
    say(`peak memory of the service ${Math.round(peak)} MB`);
    noteFigure({
      id: 'koji.cold',
      what: `compose of a Koji tag of ${rpms.toLocaleString('en')} RPMs, nothing known, POST to \`done\``,
      ours: { ...cold, peakMib: peak },
      peers: [
        { name: 'createrepo_c alone, links given', ...usual.cold },
        { name: 'told to write no databases', ...bare.cold },
      ],
    });
    noteFigure({
      id: 'koji.changed',
      what: 'the same after one new build, event to `done`',
      ours: { cpuMs, wallMs: toDone },
      peers: [
        { name: 'createrepo_c --update --skip-stat', ...usual.update },
        { name: 'told to write no databases', ...bare.update },
      ],
    });
    await reactor.stop();
  } finally {
    await postgresql.stop();
    rmSync(directory, { recursive: true, force: true });
  }
}

import { spawn } from 'node:child_process';
import type { Readable } from 'node:stream';
import { setTimeout as pause } from 'node:timers/promises';
import { LEASE_SECONDS } from '../../database/job-queues.ts';
import { BoundedLog } from './bounded-log.ts';
import { endProcessesOfRun, killGroup, RUN_VARIABLE } from './end-processes.ts';
import { findProgram } from './find-program.ts';

/** How a program ended. */
export type SupervisedEnd =
  | { readonly kind: 'missing' }
  /** With 128 and the number of the signal where one ended it. */
  | { readonly kind: 'exited'; readonly code: number; readonly logFault: Error | null };

export interface SupervisedRun {
  readonly words: readonly string[];
  /** Where it works. */
  readonly directory: string;
  readonly environment: Readonly<Record<string, string>>;
  /** Names the run among all processes of this machine: no other has it at the same time. */
  readonly run: string;
  /** Files that what it writes goes to while it does. */
  readonly stdout: string;
  readonly stderr: string;
  readonly signal: AbortSignal;
  /** Called with each line of standard error. */
  readonly onLine?: (line: string) => void;
  /** How long it may end in peace once it is told to; with 0 it is killed at once. */
  readonly graceSeconds?: number;
}

export interface RunningProgram {
  /** How it ended. Rejects with the reason of the signal within a second of its abortion. */
  readonly end: Promise<SupervisedEnd>;
  /** Resolved once nothing of it runs any more. */
  readonly gone: Promise<void>;
}

const GRACE_SECONDS = 10;
const BEAT_MS = 2_000;
/** What is left of the pipes once every process is dead is read in this time. */
const DRAIN_MS = 1_000;
/** Whoever cancels waits so long at most. */
const ABANDON_MS = 700;

/**
 * Starts the program and ends the whole group when this process is gone or silent for `$1` seconds, asking first and
 * killing `$2` seconds later.
 */
const GUARD = `
lease=$1 grace=$2; shift 2
trap : TERM INT HUP
exec 3<&0 </dev/null
"$@" 3<&- &
child=$!
(
  trap : TERM INT HUP
  while read -r -t "$lease" _ <&3; do :; done
  kill -TERM 0
  sleep "$grace" 3<&-
  kill -KILL 0
) >/dev/null 2>&1 &
watcher=$!
exec 3<&-
while wait "$child"; code=$?; kill -0 "$child" 2>/dev/null; do :; done
{ kill -KILL "$watcher"; wait "$watcher"; } 2>/dev/null
exit "$code"
`;

/**
 * Runs a program in a process group of its own. When it has ended, when the signal aborts, or when this process dies or
 * sleeps past its lease, everything it started ends too, also what left the group. What it says goes to files, so much
 * as `BoundedLog` takes.
 */
export async function runSupervised(run: SupervisedRun): Promise<RunningProgram> {
  run.signal.throwIfAborted();
  const path = await findProgram(run.words[0] ?? '', run.environment['PATH'] ?? '');
  if (path === null) return { end: Promise.resolve({ kind: 'missing' }), gone: Promise.resolve() };
  const stdout = await BoundedLog.open(run.stdout);
  const stderr = await BoundedLog.open(run.stderr, run.onLine);
  const grace = run.graceSeconds ?? GRACE_SECONDS;
  const words = [
    '--norc',
    '-c',
    GUARD,
    'guard',
    String(LEASE_SECONDS),
    String(grace),
    path,
    ...run.words.slice(1),
  ];
  const child = spawn('bash', words, {
    cwd: run.directory,
    env: { ...run.environment, [RUN_VARIABLE]: run.run },
    stdio: ['pipe', 'pipe', 'pipe'],
    detached: true,
  });
  const exited = Promise.withResolvers<number>();
  child.on('error', exited.reject);
  child.on('exit', (code) => exited.resolve(code ?? 128 + 9));
  child.stdin.on('error', () => undefined);
  const beat = setInterval(() => child.stdin.write('\n'), BEAT_MS);
  const copied = Promise.all([copy(child.stdout, stdout), copy(child.stderr, stderr)]);
  const abandoned = Promise.withResolvers<never>();
  let isEnded = false;
  const onAbort = (): void => void stop();
  const stop = async (): Promise<void> => {
    if (child.pid === undefined) return;
    killGroup(child.pid, grace === 0 ? 'SIGKILL' : 'SIGTERM');
    await Promise.race([ended, pause(ABANDON_MS, undefined, { ref: false })]).catch(() => undefined);
    abandoned.reject(run.signal.reason);
    await Promise.race([ended, pause(grace * 1000, undefined, { ref: false })]).catch(() => undefined);
    if (!isEnded) killGroup(child.pid, 'SIGKILL');
  };
  const finish = async (): Promise<SupervisedEnd> => {
    try {
      const code = await exited.promise;
      if (child.pid !== undefined) killGroup(child.pid, 'SIGKILL');
      await endProcessesOfRun(run.run);
      await Promise.race([copied, pause(DRAIN_MS, undefined, { ref: false })]);
      return { kind: 'exited', code, logFault: stdout.fault ?? stderr.fault };
    } finally {
      isEnded = true;
      clearInterval(beat);
      run.signal.removeEventListener('abort', onAbort);
      for (const pipe of [child.stdin, child.stdout, child.stderr]) pipe.destroy();
      await Promise.all([stdout.close(), stderr.close()]);
    }
  };
  const ended = finish();
  run.signal.addEventListener('abort', onAbort, { once: true });
  abandoned.promise.catch(() => undefined);
  const end = Promise.race([abandoned.promise, ended]).then((found) => {
    run.signal.throwIfAborted();
    return found;
  });
  end.catch(() => undefined);
  return {
    end,
    gone: ended.then(
      () => undefined,
      () => undefined,
    ),
  };
}

async function copy(pipe: Readable, log: BoundedLog): Promise<void> {
  for await (const chunk of pipe) {
    if (Buffer.isBuffer(chunk)) await log.write(chunk);
  }
}

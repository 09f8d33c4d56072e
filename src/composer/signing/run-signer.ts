import { spawn } from 'node:child_process';

/** How a program ended. */
export type SignerEnd =
  | {
      readonly kind: 'exited';
      readonly code: number | null;
      readonly output: Buffer;
      readonly complaint: string;
    }
  | { readonly kind: 'missing' }
  | { readonly kind: 'timed_out'; readonly complaint: string };

export interface SignerRun {
  readonly words: readonly string[];
  /** What it reads on its standard input. */
  readonly input: Uint8Array;
  readonly timeoutSeconds: number;
  readonly signal: AbortSignal;
  /** Variables beside those that every program gets. */
  readonly environment?: Readonly<Record<string, string>>;
}

/** Bytes of an answer that are read; a signature has some hundred. */
const OUTPUT_LIMIT = 1_048_576;
const COMPLAINT_LIMIT = 16_384;
/** What programs may know of this process; none of its secrets is among it. */
const passed = ['PATH', 'HOME', 'USER', 'LOGNAME', 'TZ', 'XDG_RUNTIME_DIR', 'GNUPGHOME', 'SSL_CERT_FILE'];

/**
 * Runs a program on some bytes. It and all that it started are ended when its time is over, when it says too much, or
 * when the signal aborts, whose reason is thrown then.
 */
export async function runSigner(run: SignerRun): Promise<SignerEnd> {
  run.signal.throwIfAborted();
  const [program = '', ...args] = run.words;
  const child = spawn(program, args, {
    stdio: ['pipe', 'pipe', 'pipe'],
    env: { ...passedEnvironment(), LC_ALL: 'C', ...run.environment },
    // A group of its own, so that what it started ends with it.
    detached: true,
  });
  // A program that ends before it has read everything says why by its exit code.
  child.stdin.on('error', () => undefined);
  child.stdin.end(run.input);
  const output: Buffer[] = [];
  let size = 0;
  let complaint = '';
  child.stdout.on('data', (chunk: Buffer) => {
    size += chunk.length;
    if (size <= OUTPUT_LIMIT) output.push(chunk);
    else kill();
  });
  child.stderr.on('data', (chunk: Buffer) => {
    complaint = (complaint + chunk.toString('utf8')).slice(-COMPLAINT_LIMIT);
  });
  const kill = (): void => {
    if (child.pid !== undefined) killGroup(child.pid);
    child.stdout.destroy();
    child.stderr.destroy();
  };
  const ended = Promise.withResolvers<SignerEnd>();
  child.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT' || error.code === 'EACCES') ended.resolve({ kind: 'missing' });
    else ended.reject(error);
  });
  child.on('close', (code) => {
    ended.resolve({ kind: 'exited', code, output: Buffer.concat(output), complaint: complaint.trim() });
  });
  const timer = setTimeout(() => {
    ended.resolve({ kind: 'timed_out', complaint: complaint.trim() });
    kill();
  }, run.timeoutSeconds * 1000);
  const abort = (): void => {
    ended.reject(run.signal.reason);
    kill();
  };
  run.signal.addEventListener('abort', abort, { once: true });
  try {
    return await ended.promise;
  } finally {
    clearTimeout(timer);
    run.signal.removeEventListener('abort', abort);
  }
}

function killGroup(pid: number): void {
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // It has ended already.
  }
}

function passedEnvironment(): Record<string, string> {
  return Object.fromEntries(
    passed.flatMap((name) => {
      const value = process.env[name];
      return value === undefined ? [] : [[name, value] as const];
    }),
  );
}

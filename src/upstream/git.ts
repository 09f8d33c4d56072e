import { spawn } from 'node:child_process';
import { readdirSync, statSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { messageOf, ReactorError } from '../model/errors.ts';
import { maskUrlSecrets } from '../model/mask-secrets.ts';

/** One file of a commit. */
export interface GitFile {
  readonly path: string;
  readonly text: string;
}

/** The files of one directory of a repository at one commit. */
export interface GitFolder {
  /** The whole hash, also where a branch or tag was asked for. */
  readonly commit: string;
  readonly files: readonly GitFile[];
}

/** All files at or below one directory of a repository at one commit. */
export interface GitTree {
  readonly commit: string;
  /** By path, relative to the directory. Links and submodules are left out. */
  readonly files: ReadonlyMap<string, Buffer>;
}

export interface GitContext {
  /** What may be read: URLs and absolute paths, each with all below it. */
  readonly allowed: readonly string[];
  readonly timeoutMilliseconds?: number;
  readonly signal?: AbortSignal;
}

const FILE_LIMIT = 4 << 20;
const COUNT_LIMIT = 10_000;
/** Bytes of what one git command says, and of all it may fetch. */
const OUTPUT_LIMIT = 64 << 20;
const FETCH_LIMIT = 1 << 30;
const WATCH_MS = 1000;
const SHELL = [
  'http.followRedirects=false',
  'safe.directory=*',
  'core.hooksPath=/dev/null',
  'transfer.bundleURI=false',
];

/**
 * Reads the files directly in the top directory of a repository at a commit (or branch, or tag) whose names end with
 * `suffix`, by name. Nothing of the repository is run or kept. Throws `git.url_refused`, `git.revision_invalid`,
 * `git.unreachable`, `git.revision_unknown`, `git.program_missing`, `git.too_large`, and the reason of the signal.
 */
export async function readGitFolder(
  context: GitContext,
  wanted: { readonly url: string; readonly revision: string; readonly suffix: string },
): Promise<GitFolder> {
  const { commit, files } = await readFiles(context, wanted, (commit) => ['ls-tree', '-z', '-l', commit]);
  return {
    commit,
    files: Array.from(files, ([path, bytes]) => ({ path, text: bytes.toString('utf8') })),
  };
}

/**
 * Reads every file below a directory of a repository at a commit (or branch, or tag), `` for the top. Of a directory that
 * is not there it has none. Nothing of the repository is run or kept. Throws as `readGitFolder` does.
 */
export async function readGitTree(
  context: GitContext,
  wanted: { readonly url: string; readonly revision: string; readonly directory: string },
): Promise<GitTree> {
  const { url, revision } = wanted;
  const directory = wanted.directory.replace(/^(?:\.?\/+)+|\/+$/g, '');
  const below = directory === '' || directory === '.' ? '' : `${directory}/`;
  const list = (commit: string): string[] => [
    'ls-tree',
    '-r',
    '-z',
    '-l',
    commit,
    ...(below === '' ? [] : [below]),
  ];
  const { commit, files } = await readFiles(context, { url, revision, suffix: '' }, list);
  return {
    commit,
    files: new Map(Array.from(files, ([path, bytes]) => [path.slice(below.length), bytes])),
  };
}

/**
 * Reads files, and all files below directories, of a repository at a commit (or branch, or tag), by their paths in it; an
 * empty path is the whole repository. What is not there is left out. Throws as `readGitFolder` does.
 */
export async function readGitPaths(
  context: GitContext,
  wanted: { readonly url: string; readonly revision: string; readonly paths: readonly string[] },
): Promise<GitTree> {
  const { url, revision, paths } = wanted;
  const below = paths.includes('') ? [] : paths;
  const list = (commit: string): string[] => ['ls-tree', '-r', '-z', '-l', commit, '--', ...below];
  return readFiles(context, { url, revision, suffix: '' }, list);
}

/**
 * Returns the commit that a branch, tag or `HEAD` of a repository is at, without fetching it; a whole hash is returned as
 * it is. Throws as `readGitFolder` does.
 */
export async function resolveGitRevision(
  context: GitContext,
  wanted: { readonly url: string; readonly revision: string },
): Promise<string> {
  const { url, revision } = wanted;
  if (/^[0-9a-f]{40}(?:[0-9a-f]{24})?$/.test(revision)) return revision;
  checkWanted(context, wanted);
  const directory = await mkdtemp(join(tmpdir(), 'odcs-git-'));
  try {
    const protocol = /^([a-z]+):\/\//.exec(url)?.[1] ?? 'file';
    const said = await runGit(
      { ...context, protocol },
      directory,
      ['ls-remote', '--end-of-options', url],
      '',
    );
    const commits = new Map(
      said
        .toString('utf8')
        .split('\n')
        .map((line): [string, string] => {
          const [commit = '', ref = ''] = line.split('\t');
          return [ref, commit];
        }),
    );
    const places = [revision, `refs/heads/${revision}`, `refs/tags/${revision}^{}`, `refs/tags/${revision}`];
    const found = places.flatMap((ref) => commits.get(ref) ?? []).at(0);
    if (found !== undefined) return found;
    throw revisionUnknown(wanted);
  } catch (thrown) {
    context.signal?.throwIfAborted();
    if (thrown instanceof GitTooLarge) throw tooLarge(url);
    throw thrown instanceof GitFailed ? unreachable(url, thrown) : thrown;
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

/** Reads the regular files that a listing of a commit names, those with the suffix. */
async function readFiles(
  context: GitContext,
  wanted: { readonly url: string; readonly revision: string; readonly suffix: string },
  list: (commit: string) => readonly string[],
): Promise<GitTree> {
  checkWanted(context, wanted);
  const directory = await mkdtemp(join(tmpdir(), 'odcs-git-'));
  try {
    const protocol = /^([a-z]+):\/\//.exec(wanted.url)?.[1] ?? 'file';
    const git: Git = (args, input = '') => runGit({ ...context, protocol }, directory, args, input);
    await git(['init', '--quiet', '--bare', '.']);
    const commit = await fetchRevision(git, wanted);
    const listing = (await git(list(commit))).toString('utf8');
    const entries = listing.split('\0').flatMap((line) => {
      const [, mode = '', id = '', size = '', path = ''] =
        /^(\d+) blob (\S+) +(\d+)\t(.*)$/s.exec(line) ?? [];
      return mode.startsWith('100') && path.endsWith(wanted.suffix) ? [{ id, size: Number(size), path }] : [];
    });
    if (entries.length > COUNT_LIMIT || entries.some(({ size }) => size > FILE_LIMIT))
      throw tooLarge(wanted.url);
    const contents = await git(['cat-file', '--batch'], entries.map(({ id }) => `${id}\n`).join(''));
    return { commit, files: new Map(splitBatch(contents, entries)) };
  } catch (thrown) {
    context.signal?.throwIfAborted();
    throw thrown instanceof GitTooLarge ? tooLarge(wanted.url) : thrown;
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

/** Cuts `<id> blob <size>\n<bytes>\n` for each of the files. */
function* splitBatch(
  contents: Buffer,
  entries: readonly { readonly path: string; readonly size: number }[],
): Generator<[string, Buffer]> {
  let at = 0;
  for (const { path, size } of entries) {
    const from = contents.indexOf(10, at) + 1;
    yield [path, contents.subarray(from, from + size)];
    at = from + size + 1;
  }
}

type Git = (args: readonly string[], input?: string) => Promise<Buffer>;

/** Servers may refuse to hand out a bare hash; then everything is fetched and the hash looked up in it. */
async function fetchRevision(
  git: Git,
  { url, revision }: { url: string; revision: string },
): Promise<string> {
  try {
    await git(['fetch', '--quiet', '--depth', '1', '--no-tags', '--end-of-options', url, revision]);
    return await parseRevision(git, 'FETCH_HEAD');
  } catch (thrown) {
    if (!(thrown instanceof GitFailed)) throw thrown;
  }
  try {
    await git(['fetch', '--quiet', '--end-of-options', url, '+refs/*:refs/fetched/*']);
  } catch (thrown) {
    if (!(thrown instanceof GitFailed)) throw thrown;
    throw unreachable(url, thrown);
  }
  try {
    return await parseRevision(git, revision);
  } catch (thrown) {
    if (!(thrown instanceof GitFailed)) throw thrown;
    throw revisionUnknown({ url, revision }, thrown);
  }
}

function unreachable(url: string, cause: Error): ReactorError {
  return new ReactorError(
    'git.unreachable',
    `The git repository cannot be read: ${maskUrlSecrets(cause.message)}`,
    {
      hint: 'Check the URL, and that this server may reach it without a password.',
      where: maskUrlSecrets(url),
      fate: 'retry',
      cause,
    },
  );
}

function revisionUnknown(
  { url, revision }: { readonly url: string; readonly revision: string },
  cause?: Error,
): ReactorError {
  return new ReactorError('git.revision_unknown', `The git repository has no commit "${revision}".`, {
    hint: 'Name a commit by its whole hash, or a branch or tag.',
    where: maskUrlSecrets(url),
    cause,
  });
}

async function parseRevision(git: Git, revision: string): Promise<string> {
  return (await git(['rev-parse', '--verify', '--quiet', '--end-of-options', `${revision}^{commit}`]))
    .toString()
    .trim();
}

function checkWanted(context: GitContext, wanted: { readonly url: string; readonly revision: string }): void {
  const isAllowed = context.allowed.some((prefix) => isBelow(wanted.url, prefix));
  if (!isAllowed) {
    throw new ReactorError(
      'git.url_refused',
      `The git repository ${maskUrlSecrets(wanted.url)} may not be read by this server.`,
      {
        hint: 'An administrator has to list it, or what it lies below, in the setting git_allowed_urls.',
        where: maskUrlSecrets(wanted.url),
      },
    );
  }
  if (/^[\w][\w./-]{0,254}$/.test(wanted.revision) && !wanted.revision.includes('..')) return;
  throw new ReactorError('git.revision_invalid', `"${wanted.revision}" cannot be a commit, branch or tag.`, {
    hint: 'Name a commit by its whole hash.',
    where: maskUrlSecrets(wanted.url),
  });
}

/**
 * Whether a URL lies below an allowed one, as git and the server will read it: escapes are undone and no part may lead
 * up. A URL whose escapes hide more escapes is refused.
 */
function isBelow(url: string, prefix: string): boolean {
  if (!/^(?:(?:file|git|https?|ssh):\/\/|\/)/.test(url)) return false;
  const plain = decoded(url);
  if (
    plain === null ||
    /[\s\0\\?#]|\/\.{0,2}(?:\/|$)/.test(plain.replace(/^[a-z]+:\/\//, '').replace(/\/$/, ''))
  ) {
    return false;
  }
  const bare = (decoded(prefix) ?? prefix).replace(/\/+$/, '');
  return bare !== '' && (plain === bare || plain.startsWith(`${bare}/`));
}

function decoded(url: string): string | null {
  try {
    const plain = decodeURIComponent(url);
    return /%[0-9a-f]{2}/i.test(plain) ? null : plain;
  } catch {
    return null;
  }
}

class GitFailed extends Error {}
class GitTooLarge extends Error {}

interface RunContext extends GitContext {
  /** The only one git may speak, whatever a server leads to. */
  readonly protocol: string;
}

async function runGit(
  context: RunContext,
  directory: string,
  args: readonly string[],
  input: string,
): Promise<Buffer> {
  const signals = [AbortSignal.timeout(context.timeoutMilliseconds ?? 120_000)];
  if (context.signal !== undefined) signals.push(context.signal);
  const child = spawn('git', [...SHELL.flatMap((setting) => ['-c', setting]), ...args], {
    cwd: directory,
    signal: AbortSignal.any(signals),
    stdio: ['pipe', 'pipe', 'pipe'],
    env: {
      PATH: process.env['PATH'] ?? '/usr/bin:/bin',
      HOME: directory,
      LC_ALL: 'C',
      GIT_CONFIG_NOSYSTEM: '1',
      GIT_TERMINAL_PROMPT: '0',
      GIT_ALLOW_PROTOCOL: context.protocol,
      GIT_SSH_COMMAND: 'ssh -o BatchMode=yes',
    },
  });
  // A program that ends before it has read everything says why by its exit code.
  child.stdin.on('error', () => undefined);
  child.stdin.end(input);
  const output: Buffer[] = [];
  let size = 0;
  let isTooLarge = false;
  let complaint = '';
  const stop = (): void => {
    isTooLarge = true;
    child.kill('SIGKILL');
  };
  child.stdout.on('data', (chunk: Buffer) => {
    size += chunk.length;
    if (size > OUTPUT_LIMIT) stop();
    else output.push(chunk);
  });
  const watch = setInterval(() => {
    if (sizeOfPacks(directory) > FETCH_LIMIT) stop();
  }, WATCH_MS);
  child.stderr.on('data', (chunk: Buffer) => (complaint = (complaint + chunk.toString('utf8')).slice(-1000)));
  try {
    await new Promise<void>((resolve, reject) => {
      child.on('error', (error: NodeJS.ErrnoException) =>
        reject(error.code === 'ENOENT' ? programMissing(error) : failed(error)),
      );
      child.on('close', (code) => {
        if (isTooLarge) reject(new GitTooLarge());
        else if (code === 0) resolve();
        else reject(new GitFailed(complaint.trim() || `git ended with ${code}`));
      });
    });
  } finally {
    clearInterval(watch);
  }
  return Buffer.concat(output);
}

/** Bytes of what git has fetched so far, or is fetching. */
function sizeOfPacks(directory: string): number {
  const packs = join(directory, 'objects', 'pack');
  let size = 0;
  try {
    for (const name of readdirSync(packs)) {
      size += statSync(join(packs, name), { throwIfNoEntry: false })?.size ?? 0;
    }
  } catch {
    // Nothing was fetched yet.
  }
  return size;
}

function failed(error: Error): GitFailed {
  return new GitFailed(error.name === 'AbortError' ? 'it takes too long' : messageOf(error), {
    cause: error,
  });
}

function programMissing(cause: Error): ReactorError {
  return new ReactorError('git.program_missing', 'The program git is not installed on this server.', {
    hint: 'Install git where composes are made.',
    fate: 'halt',
    cause,
  });
}

function tooLarge(url: string): ReactorError {
  return new ReactorError('git.too_large', 'The git repository has more or larger files than are read.', {
    hint: `At most ${COUNT_LIMIT} files of ${FILE_LIMIT} bytes are read, and ${FETCH_LIMIT} bytes fetched.`,
    where: maskUrlSecrets(url),
  });
}

import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { ReactorError } from '../../model/errors.ts';
import { readRegularFile } from '../../rpm/regular-file.ts';
import type { ReadUrl } from '../../rpm/repodata/location.ts';
import { urlBelow } from '../../rpm/repodata/url-below.ts';
import { personalPolicy } from '../../upstream/http/fetch-policy.ts';
import { HttpClient } from '../../upstream/http/http-client.ts';
import { HttpFiles } from '../../upstream/http/http-files.ts';
import { repositoryReader } from '../../upstream/read-repository-url.ts';
import { pathBelow } from '../pen.ts';

/** What a file turned out to be. */
export interface FoundFile {
  readonly size: number;
  /** Hex. */
  readonly digest: string;
}

/** The files of a compose, in a directory or behind a URL. Dispose of it when done. */
export interface ComposeFiles extends Disposable {
  /** The directory or URL, without a final slash. */
  readonly location: string;
  /** Reads what lies behind URLs; left out where nothing does. */
  readonly readUrl?: ReadUrl;
  /** Reads a file by its path, at most `limit` bytes; null where it is not there. */
  readonly read: (path: string, limit: number) => Promise<Buffer | null>;
  /** Reads all of a file and says what it is; null where it is not there. */
  readonly look: (path: string, algorithm: string) => Promise<FoundFile | null>;
  /** Lists the files below a directory by their paths from there; null where they cannot be listed. */
  readonly list: (path: string) => Promise<readonly string[] | null>;
}

/** Opens the files of a compose. Throws `verify.location_unknown` for what is no directory. */
export async function openComposeFiles(location: string, signal: AbortSignal): Promise<ComposeFiles> {
  const bare = location.replace(/\/+$/, '');
  if (/^https?:\/\//.test(bare)) return openUrl(bare, signal);
  const found = await stat(bare).catch(() => null);
  if (found?.isDirectory() === true) return openDirectory(bare, signal);
  throw new ReactorError('verify.location_unknown', 'There is no such directory.', {
    where: location,
    hint: 'Name the directory or the URL of a compose: …/odcs-7, or …/series/NAME/latest.',
  });
}

function isAbsence(error: unknown): boolean {
  return error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR');
}

function tooLarge(path: string, limit: number): ReactorError {
  return new ReactorError('verify.unreadable', `The file has more than ${limit} bytes.`, { where: path });
}

function openDirectory(location: string, signal: AbortSignal): ComposeFiles {
  return {
    location,
    async read(path, limit) {
      try {
        const bytes = await readRegularFile(pathBelow(location, path), limit);
        if (bytes !== null) return bytes;
        throw tooLarge(path, limit);
      } catch (error) {
        if (isAbsence(error)) return null;
        throw error;
      }
    },
    async look(path, algorithm) {
      const sum = createHash(algorithm);
      let size = 0;
      try {
        for await (const chunk of createReadStream(pathBelow(location, path), { signal })) {
          const bytes: Buffer = chunk;
          sum.update(bytes);
          size += bytes.length;
        }
      } catch (error) {
        if (isAbsence(error)) return null;
        throw error;
      }
      return { size, digest: sum.digest('hex') };
    },
    async list(path) {
      try {
        const entries = await readdir(pathBelow(location, path), { recursive: true, withFileTypes: true });
        const root = pathBelow(location, path);
        return entries
          .filter((entry) => !entry.isDirectory())
          .map((entry) => `${entry.parentPath}/${entry.name}`.slice(root.length + 1));
      } catch (error) {
        if (isAbsence(error)) return [];
        throw error;
      }
    },
    [Symbol.dispose]: () => undefined,
  };
}

const TRIES = 3;

function openUrl(location: string, signal: AbortSignal): ComposeFiles {
  const policy = personalPolicy();
  const stack = new DisposableStack();
  const client = stack.use(new HttpClient({ policy, tries: TRIES }));
  const files = stack.use(
    new HttpFiles({
      policy,
      tries: TRIES,
      peer: {
        name: 'The compose',
        codes: { unreachable: 'verify.unreachable', refused: 'verify.unreadable', missing: 'verify.missing' },
      },
    }),
  );
  const urlOf = (path: string): string => {
    const url = urlBelow(location, path);
    if (url !== null) return url;
    throw new ReactorError('verify.unreadable', `${JSON.stringify(path.slice(0, 200))} leads to no URL.`);
  };
  const orNull = async <Value>(work: () => Promise<Value>): Promise<Value | null> => {
    try {
      return await work();
    } catch (error) {
      if (error instanceof ReactorError && error.code === 'verify.missing') return null;
      throw error;
    }
  };
  return {
    location,
    readUrl: repositoryReader(client),
    read: (path, limit) =>
      orNull(async () => {
        const bytes = await files.read(urlOf(path), 0, limit + 1, signal);
        if (bytes.length <= limit) return Buffer.from(bytes);
        throw tooLarge(path, limit);
      }),
    look: (path, algorithm) =>
      orNull(async () => {
        const { answer } = await files.get(urlOf(path), 0, signal);
        const sum = createHash(algorithm);
        let size = 0;
        for await (const chunk of answer.body) {
          const bytes: Buffer = chunk;
          sum.update(bytes);
          size += bytes.length;
        }
        return { size, digest: sum.digest('hex') };
      }),
    list: () => Promise.resolve(null),
    [Symbol.dispose]: () => stack.dispose(),
  };
}

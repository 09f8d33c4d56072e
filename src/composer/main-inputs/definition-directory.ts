import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ReactorError } from '../../model/errors.ts';
import { formatProblem, type FileProblem } from '../../model/file-problem.ts';
import type { MainDefinition } from '../main/main-definition.ts';
import type { ConfigFiles } from '../main/load-config.ts';
import { configFilesOf } from './config-directory.ts';
import type { GitPlace } from '../main/git-place.ts';
import {
  listPlacesOfFile,
  readDefinitionFile,
  type DefinitionReading,
} from '../main/read-definition-file.ts';
import { nothingFetched, withFetched, type FetchedPlaces } from './fetch-git-places.ts';

/** A definition with the files beside it, and the commit it is of; null for one of a directory. */
export interface FoundDefinition {
  readonly definition: MainDefinition;
  readonly files: ConfigFiles;
  /** Digest of the files it may be made of; null where that cannot be told. */
  readonly digest: string | null;
  readonly commit: string | null;
  /** Sentences about what was fetched for it. */
  readonly remarks: readonly string[];
}

/** Lists the names of the definitions of a directory; none where there is no directory. Throws `definition.unreadable`. */
export function listDefinitions(directory: string): string[] {
  try {
    return readdirSync(directory)
      .filter((name) => /^[a-z0-9].*\.ya?ml$/.test(name))
      .map((name) => name.replace(/\.ya?ml$/, ''))
      .sort();
  } catch (error) {
    if (isMissing(error)) return [];
    throw unreadable(directory, error);
  }
}

/** What a definition file says, with the files that it names. */
export interface ReadDefinition {
  readonly reading: DefinitionReading;
  readonly files: ConfigFiles;
  readonly fetched: FetchedPlaces;
}

/** Fetches what a definition takes from git repositories. */
export type FetchPlaces = (places: readonly GitPlace[]) => Promise<FetchedPlaces>;

/**
 * Reads a definition file with what lies beside it, as it is now. Throws `definition.unknown` where there is none,
 * `definition.unreadable`, and what `fetchPlaces` throws.
 */
export async function readDefinitionOfFile(
  directory: string,
  name: string,
  fetchPlaces: FetchPlaces,
): Promise<ReadDefinition> {
  const path = [`${name}.yaml`, `${name}.yml`].find((fileName) => readBelow(directory, fileName) !== null);
  const bytes = path === undefined ? null : readBelow(directory, path);
  if (path === undefined || bytes === null) {
    throw new ReactorError('definition.unknown', `There is no definition "${name}".`, { where: directory });
  }
  try {
    const own = {
      file: join(directory, path),
      text: bytes.toString('utf8'),
      files: configFilesOf(directory),
    };
    return await readWithPlaces(own, fetchPlaces);
  } catch (error) {
    if (error instanceof Error && 'syscall' in error) throw unreadable(directory, error);
    throw error;
  }
}

/** Reads a definition file of these files, with what it takes from git repositories. Throws what `fetchPlaces` throws. */
export async function readWithPlaces(
  { file, text, files: own }: { readonly file: string; readonly text: string; readonly files: ConfigFiles },
  fetchPlaces: FetchPlaces,
): Promise<ReadDefinition> {
  const places = listPlacesOfFile(file, text);
  const fetched = places.length === 0 ? nothingFetched : await fetchPlaces(places);
  const files = withFetched(own, fetched);
  return { reading: readDefinitionFile(file, text, files), files, fetched };
}

function readBelow(directory: string, path: string): Buffer | null {
  try {
    return readFileSync(join(directory, path));
  } catch (error) {
    if (isMissing(error)) return null;
    throw unreadable(join(directory, path), error);
  }
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'EISDIR');
}

function unreadable(where: string, cause: unknown): ReactorError {
  return new ReactorError('definition.unreadable', 'The definitions cannot be read.', {
    where,
    hint: 'Let the composer read the directory definitions_dir.',
    cause,
  });
}

/** Returns the definition of a reading. Throws `definition.invalid` with the first problem, and how many more there are. */
export function definitionOfReading(reading: DefinitionReading): MainDefinition {
  if (reading.ok) return reading.definition;
  throw invalid(reading.problems);
}

function invalid(problems: readonly FileProblem[]): ReactorError {
  const [first] = problems;
  const others = problems.length > 1 ? ` (and ${problems.length - 1} more)` : '';
  return new ReactorError(
    'definition.invalid',
    `The definition has a mistake${others}: ${first === undefined ? '' : formatProblem(first)}`,
    { hint: 'odcs-reactor definition check tells all of them.' },
  );
}

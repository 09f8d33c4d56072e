import { ReactorError } from '../../model/errors.ts';
import { isName, isPathBelow } from '../../model/names.ts';
import { urlBelow } from '../../rpm/repodata/url-below.ts';
import type { PulpRepository } from './pulp.ts';

/** The notes of a repository of Pulp 2, the labels of a distribution of Pulp 3. */
export type PulpNotes = Readonly<Record<string, unknown>>;

/** Reads what notes say of a repository, leaving out what cannot be meant. Source: ODCS contract 18. */
export function readNotes(
  notes: PulpNotes,
): Pick<PulpRepository, 'contentSet' | 'arch' | 'signatures' | 'productVersions'> {
  const arch = noteOf(notes, 'arch');
  const signatures = (noteOf(notes, 'signatures') ?? '')
    .split(',')
    .map((key) => key.trim().toLowerCase())
    .filter((key) => isName('sigkey', key));
  return {
    contentSet: noteOf(notes, 'content_set'),
    arch: arch !== null && isName('arch', arch) ? arch : null,
    signatures: [...new Set(signatures)].sort(),
    productVersions: readVersions(noteOf(notes, 'product_versions')),
  };
}

/** Returns a note that is a text; null for one that is not there, empty or something else. */
export function noteOf(notes: PulpNotes, name: string): string | null {
  const note = Object.hasOwn(notes, name) ? notes[name] : undefined;
  return typeof note === 'string' && note !== '' ? note : null;
}

function readVersions(text: string | null): readonly string[] {
  if (text === null) return [];
  try {
    const list: unknown = JSON.parse(text);
    return Array.isArray(list) ? list.map(String) : [];
  } catch {
    return [];
  }
}

/** Returns the URL of what a repository of Pulp calls its path, below a base. Throws `pulp.path_outside`. */
export function contentUrl(base: string, path: string, repository: string): string {
  const bare = path.replaceAll(/^\/+|\/+$/g, '');
  const url = isPathBelow(bare) && !/^[a-z][a-z0-9+.-]*:/i.test(bare) ? urlBelow(`${base}/`, bare) : null;
  if (url !== null) return url;
  throw new ReactorError(
    'pulp.path_outside',
    `Pulp says that the repository ${repository.slice(0, 200)} lies at ${JSON.stringify(path.slice(0, 200))}, which is no path below it.`,
    { where: base },
  );
}

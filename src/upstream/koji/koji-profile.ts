import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { ReactorError } from '../../model/errors.ts';
import type { TlsIdentity } from '../http/http-client.ts';

/** One Koji as its clients are configured for it. */
export interface KojiProfile {
  readonly name: string;
  readonly server: string;
  /** Top directory as it is mounted here, if anywhere. */
  readonly topDir: string | null;
  /** URL of the same tree, without a slash at its end. */
  readonly topUrl: string | null;
  /** URL of its pages, without a slash at its end; absent where there is none. */
  readonly webUrl?: string;
  /** Whether its users log in by Kerberos, with a keytab or a ticket; absent where it says nothing of that. */
  readonly isByKerberos?: boolean;
  /** File of the authorities that the hub's certificate may come from. */
  readonly serverCa: string | null;
  /** File with a client certificate and its key, for servers that ask for one; absent where there is none. */
  readonly certificate?: string;
  /** The files the profile was read from. */
  readonly files: readonly string[];
}

/**
 * Where Koji profiles lie, later ones overriding earlier ones: `/etc/koji.conf`, `/etc/koji.conf.d`,
 * `~/.koji/config.d`, `~/.koji/config`. With `config` (a file or a directory) only that.
 */
export function profilePlaces(home: string, config = ''): readonly string[] {
  if (config !== '') return [config];
  return [
    '/etc/koji.conf',
    '/etc/koji.conf.d',
    join(home, '.koji', 'config.d'),
    join(home, '.koji', 'config'),
  ];
}

/**
 * Reads one profile as Koji's own client does: INI files, a section per profile, of directories the `*.conf`
 * files by name. Throws `koji.profile_unknown`, `koji.profile_incomplete` or `koji.profile_unreadable`.
 */
export function readKojiProfile(name: string, places: readonly string[], home = ''): KojiProfile {
  const values = new Map<string, string>();
  const files: string[] = [];
  const known = new Set<string>();
  for (const file of places.flatMap(filesAt)) {
    for (const [section, entries] of parseIni(readText(file), file)) {
      known.add(section);
      if (section !== name) continue;
      files.push(file);
      for (const [key, value] of entries) values.set(key, value);
    }
  }
  if (files.length === 0) throw unknownProfile(name, places, [...known]);
  const server = values.get('server') ?? '';
  if (server === '') {
    throw new ReactorError('koji.profile_incomplete', `The Koji profile "${name}" names no server.`, {
      where: files.join(', '),
      hint: 'Add server = https://…/kojihub to its section.',
      fate: 'halt',
    });
  }
  const webUrl = values.get('weburl')?.replace(/\/+$/, '') ?? '';
  const certificate = pathOf(values.get('cert'), home);
  return {
    name,
    server,
    topDir: pathOf(values.get('topdir'), home),
    topUrl: emptyToNull(values.get('topurl')?.replace(/\/+$/, '')),
    serverCa: pathOf(values.get('serverca'), home),
    ...(certificate !== null && isThere(certificate) ? { certificate } : {}),
    ...(webUrl === '' ? {} : { webUrl }),
    ...(isByKerberos(values) ? { isByKerberos: true } : {}),
    files,
  };
}

function isByKerberos(values: ReadonlyMap<string, string>): boolean {
  const hasKeytab = (values.get('keytab') ?? '') !== '';
  return hasKeytab || ['kerberos', 'gssapi'].includes((values.get('authtype') ?? '').toLowerCase());
}

/** Profiles name a certificate that only those have who log in with one. */
function isThere(file: string): boolean {
  return statSync(file, { throwIfNoEntry: false })?.isFile() === true;
}

/** Reads what a profile says of TLS. Throws `koji.profile_unreadable`. */
export function readTlsIdentity({ serverCa, certificate }: KojiProfile): TlsIdentity {
  return {
    ...(serverCa === null ? {} : { authorities: readText(serverCa) }),
    ...(certificate === undefined ? {} : { certificate: readText(certificate) }),
  };
}

function unknownProfile(name: string, places: readonly string[], known: readonly string[]): ReactorError {
  return new ReactorError('koji.profile_unknown', `There is no Koji profile "${name}".`, {
    where: places.join(', '),
    hint: known.length === 0 ? 'No profile was found at all.' : `There are: ${known.join(', ')}.`,
    fate: 'halt',
  });
}

function filesAt(place: string): readonly string[] {
  try {
    if (!statSync(place).isDirectory()) return [place];
    return readdirSync(place)
      .filter((file) => file.endsWith('.conf'))
      .sort()
      .map((file) => join(place, file));
  } catch {
    return [];
  }
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new ReactorError('koji.profile_unreadable', 'A file of Koji profiles cannot be read.', {
      where: file,
      fate: 'halt',
      cause: error,
    });
  }
}

/**
 * Reads an INI file as Python's parser does: keys without case, `=` or `:`, indented lines continue a value.
 * Throws `koji.profile_unreadable` with the line.
 */
function parseIni(text: string, file: string): Map<string, Map<string, string>> {
  const sections = new Map<string, Map<string, string>>();
  let section: Map<string, string> | undefined;
  let key = '';
  for (const [index, line] of text.split(/\r?\n/).entries()) {
    const bare = line.trim();
    if (bare === '' || bare.startsWith('#') || bare.startsWith(';')) continue;
    const head = /^\[([^\]]+)\]/.exec(bare)?.[1];
    if (head !== undefined) {
      section = sections.get(head) ?? new Map();
      sections.set(head, section);
      key = '';
    } else if (/^\s/.test(line) && section !== undefined && key !== '') {
      section.set(key, `${section.get(key) ?? ''}\n${bare}`);
    } else {
      const pair = /^([^=:]+?)\s*[=:]\s*(.*)$/.exec(bare);
      if (pair === null || section === undefined) {
        throw new ReactorError('koji.profile_unreadable', `"${bare}" is no line of a Koji profile.`, {
          where: `${file}:${index + 1}`,
          fate: 'halt',
        });
      }
      key = (pair[1] ?? '').toLowerCase();
      section.set(key, pair[2] ?? '');
    }
  }
  return sections;
}

function emptyToNull(text: string | undefined): string | null {
  return text === undefined || text === '' ? null : text;
}

function pathOf(text: string | undefined, home: string): string | null {
  const path = emptyToNull(text);
  return path !== null && path.startsWith('~/') ? join(home, path.slice(2)) : path;
}

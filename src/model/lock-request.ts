import { ReactorError } from './errors.ts';
import { isName } from './names.ts';

/** A package that is wanted, and where. */
export interface WantedPackage {
  /** What `dnf install` takes: a name, `name.arch`, a NEVRA, a glob, a path or something provided. */
  readonly spec: string;
  readonly only: readonly string[] | null;
  readonly not: readonly string[];
}

/** What a lock file is to hold of a compose. */
export interface LockRequest {
  /** Empty for all that the compose has. */
  readonly arches: readonly string[];
  /** Null for everything. */
  readonly packages: readonly WantedPackage[] | null;
  /** Names or NEVRAs of what the base image has. */
  readonly installed: readonly string[];
  /** Names and capabilities that count as there. */
  readonly assumed: readonly string[];
  readonly hasSources: boolean;
  /** Whether requirements that nothing meets are only noted. */
  readonly isBrokenAllowed: boolean;
}

export const everything: LockRequest = {
  arches: [],
  packages: null,
  installed: [],
  assumed: [],
  hasSources: true,
  isBrokenAllowed: false,
};

const MOST_WORDS = 20_000;
const MOST_LETTERS = 1_000;
/** Keys of `rpms.in.yaml` that say nothing here: the compose is where packages come from, and dnf's ways are its own. */
const ignored = new Set(['contentOrigin', 'zchunk', 'allowerasing', 'variables']);
const known = new Set([
  'arches',
  'packages',
  'reinstallPackages',
  'upgradePackages',
  'excludePackages',
  'installed',
  'assumeProvides',
  'noSources',
  'installWeakDeps',
  'moduleEnable',
  'context',
  'allowBroken',
]);

/**
 * Reads a lock request: a list of packages, or an object with the keys of `rpms.in.yaml`, and `installed` and
 * `allowBroken` beside them. Throws `lock.request_invalid` with a sentence. Source: rpm-lockfile-prototype's schema.
 */
export function parseLockRequest(body: unknown): LockRequest {
  if (Array.isArray(body)) return { ...everything, packages: wantedList(body, 'the list') };
  if (typeof body !== 'object' || body === null) {
    throw invalid('The request is neither a list of packages nor an object.');
  }
  const keys: Record<string, unknown> = { ...body };
  for (const key of Object.keys(keys)) {
    if (!known.has(key) && !ignored.has(key))
      throw invalid(`"${key.slice(0, 100)}" cannot be asked for here.`);
  }
  if (keys['installWeakDeps'] === true) {
    throw invalid('Weak dependencies are not followed.', 'Leave installWeakDeps out, or name the packages.');
  }
  checkContext(keys['context']);
  const excluded = new Set(wordList(keys['excludePackages'], 'excludePackages'));
  const wanted = ['packages', 'reinstallPackages', 'upgradePackages'].flatMap((key) =>
    keys[key] === undefined ? [] : wantedList(keys[key], key),
  );
  const isNamed = keys['packages'] !== undefined || wanted.length > 0;
  const request: LockRequest = {
    arches: wordList(keys['arches'], 'arches'),
    packages: isNamed ? wanted.filter(({ spec }) => !excluded.has(spec)) : null,
    installed: wordList(keys['installed'], 'installed'),
    assumed: wordList(keys['assumeProvides'], 'assumeProvides'),
    hasSources: keys['noSources'] !== true,
    isBrokenAllowed: keys['allowBroken'] === true,
  };
  for (const arch of request.arches) if (!isName('arch', arch)) throw invalid(`"${arch}" is no arch.`);
  return request;
}

/** What is installed in an image only the image knows; `bare` says that nothing is. */
function checkContext(context: unknown): void {
  if (context === undefined) return;
  if (typeof context === 'object' && context !== null && Object.keys(context).join() === 'bare') return;
  throw invalid(
    'The packages of a base image are not known here.',
    'Send the output of `rpm -qa` in it as `installed`, and leave `context` out.',
  );
}

function wantedList(value: unknown, key: string): WantedPackage[] {
  if (!Array.isArray(value)) throw invalid(`"${key}" is no list.`);
  if (value.length > MOST_WORDS) throw invalid(`"${key}" has more than ${MOST_WORDS} members.`);
  return value.map((member: unknown): WantedPackage => {
    if (typeof member === 'string') return { spec: word(member, key), only: null, not: [] };
    if (typeof member !== 'object' || member === null || !('name' in member)) {
      throw invalid(`A member of "${key}" is neither a text nor an object with a name.`);
    }
    const arches: unknown = 'arches' in member ? member.arches : {};
    const only = memberOf(arches, 'only');
    return {
      spec: word(member.name, key),
      only: only === undefined ? null : oneOrMore(only, key),
      not: oneOrMore(memberOf(arches, 'not') ?? [], key),
    };
  });
}

function memberOf(value: unknown, name: string): unknown {
  if (typeof value !== 'object' || value === null) return undefined;
  return Object.getOwnPropertyDescriptor(value, name)?.value;
}

function oneOrMore(value: unknown, key: string): string[] {
  return typeof value === 'string' ? [word(value, key)] : wordList(value, key);
}

function wordList(value: unknown, key: string): string[] {
  if (value === undefined) return [];
  if (!Array.isArray(value)) throw invalid(`"${key}" is no list.`);
  if (value.length > MOST_WORDS) throw invalid(`"${key}" has more than ${MOST_WORDS} members.`);
  return value.map((member: unknown) => word(member, key));
}

// oxlint-disable-next-line no-control-regex
const unfit = /[\x00-\x1f\x7f]/;

function word(value: unknown, key: string): string {
  const isFit =
    typeof value === 'string' && value !== '' && value.length <= MOST_LETTERS && !unfit.test(value);
  if (!isFit)
    throw invalid(`A member of "${key}" is no name: ${String(JSON.stringify(value)).slice(0, 100)}.`);
  if (value.startsWith('@')) {
    throw invalid(`${value.slice(0, 100)} is a group.`, 'Name the packages of the group.');
  }
  if (value.startsWith('-')) {
    throw invalid(
      `${value.slice(0, 100)} begins with a dash.`,
      'Use excludePackages to leave something out.',
    );
  }
  return value;
}

function invalid(message: string, hint?: string): ReactorError {
  return new ReactorError('lock.request_invalid', message, {
    hint: hint ?? 'docs/containers.md says what a lock file can be asked for.',
  });
}

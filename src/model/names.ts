import { ReactorError } from './errors.ts';

/** A closed grammar: what a name of one kind may be, so that it can be a part of a path, a URL or a command line. */
interface NameGrammar {
  /** How people call it: `an arch`. */
  readonly called: string;
  readonly pattern: RegExp;
  readonly hint: string;
}

const part = '[A-Za-z0-9_][A-Za-z0-9_.+~^-]{0,199}';
/** Versions may begin with any of their characters, but are no `.` and no `..`. */
const version = '(?!\\.{1,2}(?![A-Za-z0-9_.+~^]))[A-Za-z0-9_.+~^]{1,200}';
/** Koji adds `,draft_<id>` to the release of a draft. */
const release = `${version}(?:,draft_\\d{1,18})?`;
const modulePart = '[A-Za-z0-9_][A-Za-z0-9_.+~-]{0,199}';
const moduleVersion = '\\d{1,20}';
const moduleContext = '[A-Za-z0-9_]{1,32}';

/** How a tag, a build or a task may begin that is not of the default Koji hub. */
const hub = '[a-z][a-z0-9_-]{0,31}';

const named = '[A-Za-z0-9][A-Za-z0-9._+:~^-]{0,200}';

function grammar(called: string, pattern: string, hint: string): NameGrammar {
  return { called, pattern: new RegExp(`^(?:${pattern})$`, 'u'), hint };
}

/**
 * The grammar of every kind of name that comes from outside and becomes a part of a path. None of them lets a slash,
 * a control character, a leading dot or a blank through. Held against recorded data of hubs, buses and repositories
 * by tests/model/names.test.ts.
 */
const grammars = {
  arch: grammar('an arch', '[A-Za-z0-9][A-Za-z0-9_]{0,31}', 'Arches are written like x86_64 or aarch64.'),
  variant: grammar(
    'a variant',
    '[A-Za-z0-9](?:[A-Za-z0-9-]{0,62}[A-Za-z0-9])?',
    'Variants are written like Server or Server-optional.',
  ),
  package: grammar('a package name', part, 'Names of packages hold letters, digits and . _ + - only.'),
  version: grammar('a version', version, 'Versions hold letters, digits and . _ + ~ ^ only.'),
  release: grammar('a release', release, 'Releases hold letters, digits and . _ + ~ ^ only.'),
  nvr: grammar(
    'the NVR of a build',
    `${part}-${version}-${release}`,
    'Write it as Koji does: openssl-3.2.1-4.fc42.',
  ),
  hub: grammar(
    'the name of a Koji hub',
    hub,
    'Hubs are called as their messages say: brew, centos, fedora-stg.',
  ),
  hubTag: grammar(
    'a tag of a Koji hub',
    `${hub}:[A-Za-z0-9_][A-Za-z0-9_.+-]{0,255}`,
    'Write it as brew:rhel-9-candidate.',
  ),
  hubNvr: grammar(
    'the NVR of a build',
    `(?:${hub}:)?${part}-${version}-${release}`,
    'Write it as Koji does: openssl-3.2.1-4.fc42, or brew:openssl-3.2.1-4.el9.',
  ),
  label: grammar('a label', '[\\p{L}\\p{N}][\\p{L}\\p{N}_.+~-]{0,62}', 'Labels are written like RC-1.0.'),
  composeType: grammar(
    'a compose type',
    '[A-Za-z0-9][A-Za-z0-9_-]{0,62}',
    'Compose types are written like nightly.',
  ),
  composeId: grammar('the id of a compose', part, 'Write it as Pungi does: Fedora-44-20260101.n.0.'),
  targetDir: grammar(
    'the name of a target directory',
    '[A-Za-z0-9][A-Za-z0-9_.-]{0,99}',
    'Such names hold letters, digits and . _ - only.',
  ),
  series: grammar('a series', named, 'Series hold letters, digits and . _ + : ~ ^ - only.'),
  image: grammar(
    'the name of an image',
    named,
    'Names of images hold letters, digits and . _ + : ~ ^ - only.',
  ),
  /** A value of an event that a rule places in a request. Source: RULES 4.7. */
  placed: grammar('a value of a request', named, 'Names hold letters, digits and . _ + : ~ ^ - only.'),
  volume: grammar(
    'a Koji volume',
    '[A-Za-z0-9_][A-Za-z0-9_.+~-]{0,199}',
    'Volumes are written like DEFAULT.',
  ),
  sigkey: grammar('a signing key', '[0-9A-Za-z]{1,64}', 'Keys are letters and digits only: f5d95b82.'),
  moduleName: grammar(
    'the name of a module',
    modulePart,
    'Names of modules hold letters, digits and . _ + ~ - only.',
  ),
  moduleStream: grammar(
    'the stream of a module',
    modulePart,
    'Streams hold letters, digits and . _ + ~ - only.',
  ),
  moduleVersion: grammar('the version of a module', moduleVersion, 'Versions of modules are whole numbers.'),
  moduleContext: grammar('the context of a module', moduleContext, 'Contexts are written like 5e5ad4a0.'),
  updateAlias: grammar(
    'the alias of an update',
    '[A-Za-z0-9][A-Za-z0-9_.:-]{0,199}',
    'Aliases are written like FEDORA-2026-0123456789.',
  ),
  contentSet: grammar(
    'a content set or a repository of Pulp',
    '[A-Za-z0-9][A-Za-z0-9_.+:~-]{0,254}',
    'They are written like rhel-9-for-x86_64-baseos-rpms.',
  ),
  rawConfig: grammar(
    'the name of a Pungi configuration',
    '[A-Za-z0-9][A-Za-z0-9_.+-]{0,199}',
    'Such names hold letters, digits and . _ + - only.',
  ),
} as const satisfies Record<string, NameGrammar>;

export type NameKind = keyof typeof grammars;

/** Whether a text is a name of a kind. */
export function isName(kind: NameKind, text: string): boolean {
  return grammars[kind].pattern.test(text);
}

/** Returns the text, which is a name of a kind. Throws the ReactorError of a code, with a hint, where it is not. */
export function checkName(
  kind: NameKind,
  text: string,
  error: { readonly code: string; readonly where?: string },
): string {
  if (isName(kind, text)) return text;
  const { code, ...where } = error;
  throw new ReactorError(code, nameSentence(kind, text), { ...where, hint: nameHint(kind) });
}

/** The sentence that says that a text is no name of a kind. */
export function nameSentence(kind: NameKind, text: string): string {
  return `${JSON.stringify(text.slice(0, 100))} cannot be ${grammars[kind].called}.`;
}

/** The hint that says how names of a kind are written. */
export function nameHint(kind: NameKind): string {
  return grammars[kind].hint;
}

// oxlint-disable-next-line no-control-regex
const rpmFileName = /^[^./\x00-\x1f\x7f][^/\x00-\x1f\x7f]*\.rpm$/;
const FILE_NAME_BYTES = 255;

/**
 * Whether a text can be the file name of an RPM in a compose. File names are the free choice of a repository
 * (`app-1:1.0-1.src#.rpm` is one): all that is refused is what is no name of one visible file.
 */
export function isRpmFileName(name: string): boolean {
  return rpmFileName.test(name) && Buffer.byteLength(name) <= FILE_NAME_BYTES && name.isWellFormed();
}

// oxlint-disable-next-line no-control-regex
const pathBelow = /^(?!\.{1,2}(?:\/|$))[^/\x00-\x1f\x7f]+(?:\/(?!\.{1,2}(?:\/|$))[^/\x00-\x1f\x7f]+)*$/;

/** Whether a text has a line break or another control character, and would not stay on its line of a file. */
export function hasControlCharacter(text: string): boolean {
  return /\p{Cc}|\p{Zl}|\p{Zp}/u.test(text);
}

/** Whether a text is a relative path that stays below where it starts, each of its parts a name. */
export function isPathBelow(path: string): boolean {
  return pathBelow.test(path);
}

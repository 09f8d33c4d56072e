import { ReactorError } from '../model/errors.ts';
import type { Nsvc } from '../model/nsvc.ts';
import { readTextYaml, splitYamlDocuments, type TextYaml } from './modulemd-yaml.ts';

/** One alternative of what a module needs: module name to its stream expressions (`f42`, `-x`, empty for any). */
export interface ModuleDependencies {
  readonly buildRequires: ReadonlyMap<string, readonly string[]>;
  readonly requires: ReadonlyMap<string, readonly string[]>;
}

/** One modulemd stream document: what a module build is, and on one arch which RPMs belong to it. */
export interface ModuleStream extends Nsvc {
  readonly kind: 'stream';
  /** The arch of the host that may use it; null in the document for all arches. */
  readonly arch: string | null;
  readonly dependencies: readonly ModuleDependencies[];
  readonly profiles: readonly string[];
  /** RPMs of this build on this arch, `name-epoch:version-release.arch`. */
  readonly artifacts: readonly string[];
  readonly text: string;
}

/** A modulemd-defaults document: the stream and the profiles that dnf takes by itself. */
export interface ModuleDefaults {
  readonly kind: 'defaults';
  readonly module: string;
  readonly stream: string | null;
  readonly profiles: ReadonlyMap<string, readonly string[]>;
  readonly text: string;
}

/** A modulemd-obsoletes or modulemd-translations document, of which only the module matters here. */
export interface ModuleNotice {
  readonly kind: 'obsoletes' | 'translations';
  readonly module: string;
  readonly stream: string;
  readonly text: string;
}

/** What a packager writes, or a kind not known: never part of a repository. */
export interface ForeignDocument {
  readonly kind: 'foreign';
  readonly type: string;
  readonly text: string;
}

export type ModuleDocument = ModuleStream | ModuleDefaults | ModuleNotice | ForeignDocument;

type YamlMap = ReadonlyMap<string, TextYaml>;

const EMPTY: YamlMap = new Map();

/**
 * Reads every document of a modulemd file. The text of each is kept as it was written, so that writing it again
 * changes nothing. Unknown keys are tolerated, as dnf does. `where` names the file in errors.
 * Throws `modulemd.field_invalid` and the codes of `readTextYaml`. Source: module contract 5 to 8.
 */
export function readModuleDocuments(file: string, where: string): readonly ModuleDocument[] {
  return splitYamlDocuments(file, where).map(({ text, line }) =>
    readModuleDocument(text, `${where}:${line}`),
  );
}

/**
 * Reads the first stream document of a file, as MBS and Koji hold one; identity comes from the document, whatever is
 * missing in it from `identity` (old documents lack the context). Throws `modulemd.no_stream` and the codes of
 * `readModuleDocuments`.
 */
export function readModuleStream(file: string, where: string): ModuleStream {
  const stream = readModuleDocuments(file, where).find((document) => document.kind === 'stream');
  if (stream !== undefined) return stream;
  throw new ReactorError('modulemd.no_stream', 'The file holds no module stream document.', {
    hint: 'Expected a document of type modulemd, version 1 or 2.',
    where,
  });
}

/** Reads one document. Throws `modulemd.field_invalid` and the codes of `readTextYaml`. */
export function readModuleDocument(text: string, where: string): ModuleDocument {
  const root = readTextYaml(text, where);
  if (!(root instanceof Map)) throw fieldInvalid('document', 'must be a mapping', where);
  const type = textAt(root, 'document');
  const data = mapAt(root, 'data');
  switch (type) {
    case 'modulemd':
      return readStream(data, textAt(root, 'version'), text, where);
    case 'modulemd-defaults':
      return readDefaults(data, text, where);
    case 'modulemd-obsoletes':
    case 'modulemd-translations': {
      const kind = type === 'modulemd-obsoletes' ? 'obsoletes' : 'translations';
      return { kind, module: required(data, 'module', where), stream: required(data, 'stream', where), text };
    }
    default:
      return { kind: 'foreign', type, text };
  }
}

function readStream(data: YamlMap, documentVersion: string, text: string, where: string): ModuleStream {
  if (documentVersion !== '1' && documentVersion !== '2') {
    throw fieldInvalid('version', `must be 1 or 2, not "${documentVersion}"`, where);
  }
  const version = textAt(data, 'version') || '0';
  if (!/^\d{1,20}$/.test(version))
    throw fieldInvalid('data.version', `must be a whole number, not "${version}"`, where);
  const context = textAt(data, 'context');
  if (!/^\w{0,13}$/.test(context)) {
    throw fieldInvalid(
      'data.context',
      `must be at most 13 letters, digits or underscores, not "${context}"`,
      where,
    );
  }
  return {
    kind: 'stream',
    name: required(data, 'name', where),
    stream: required(data, 'stream', where),
    version,
    context,
    arch: textAt(data, 'arch') || null,
    dependencies: readDependencies(data.get('dependencies'), where),
    profiles: [...mapAt(data, 'profiles').keys()],
    artifacts: listAt(mapAt(data, 'artifacts'), 'rpms').map((artifact) => checkedArtifact(artifact, where)),
    text,
  };
}

/** The alternatives under `dependencies`. Version 1 has one mapping of single streams: one alternative of version 2. */
export function readDependencies(value: TextYaml | undefined, where: string): readonly ModuleDependencies[] {
  if (value === undefined || value === '') return [];
  const blocks = value instanceof Map ? [value] : value;
  if (typeof blocks === 'string') throw fieldInvalid('data.dependencies', 'must be a list', where);
  return [...blocks.values()].map((block) => {
    if (!(block instanceof Map)) throw fieldInvalid('data.dependencies', 'must hold mappings', where);
    return {
      buildRequires: streamsOf(mapAt(block, 'buildrequires')),
      requires: streamsOf(mapAt(block, 'requires')),
    };
  });
}

function streamsOf(requires: YamlMap): ReadonlyMap<string, readonly string[]> {
  return new Map([...requires.keys()].map((name) => [name, listAt(requires, name)]));
}

/** libmodulemd refuses the whole document for one artifact without an epoch; with `.rpm` dnf installs nothing. */
function checkedArtifact(artifact: string, where: string): string {
  if (/^[^\s/]+-\d+:[^-\s]+-[^-\s]+\.[^-.\s]+$/.test(artifact) && !artifact.endsWith('.rpm')) return artifact;
  throw new ReactorError(
    'modulemd.artifact_invalid',
    `"${artifact}" is not a name-epoch:version-release.arch.`,
    {
      hint: 'Every artifact needs its epoch (0 when it has none) and no ".rpm".',
      where,
    },
  );
}

function readDefaults(data: YamlMap, text: string, where: string): ModuleDefaults {
  const profiles = mapAt(data, 'profiles');
  return {
    kind: 'defaults',
    module: required(data, 'module', where),
    stream: textAt(data, 'stream') || null,
    profiles: new Map([...profiles.keys()].map((stream) => [stream, listAt(profiles, stream)])),
    text,
  };
}

function required(data: YamlMap, key: string, where: string): string {
  const value = textAt(data, key);
  if (value !== '') return value;
  throw fieldInvalid(`data.${key}`, 'is missing', where);
}

function textAt(data: YamlMap, key: string): string {
  const value = data.get(key);
  return typeof value === 'string' ? value : '';
}

function mapAt(data: YamlMap, key: string): YamlMap {
  const value = data.get(key);
  return value instanceof Map ? value : EMPTY;
}

/** A list of texts; a single text stands for a list of one, as version 1 documents write it. */
function listAt(data: YamlMap, key: string): readonly string[] {
  const value = data.get(key);
  if (typeof value === 'string') return value === '' ? [] : [value];
  return Array.isArray(value) ? value.filter((item) => typeof item === 'string') : [];
}

function fieldInvalid(field: string, why: string, where: string): ReactorError {
  return new ReactorError('modulemd.field_invalid', `The field ${field} of the module document ${why}.`, {
    hint: 'Check it with modulemd-validator.',
    where,
  });
}

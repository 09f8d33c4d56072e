import { ReactorError } from '../model/errors.ts';
import { formatNsvc } from '../model/nsvc.ts';
import type { ModuleDefaults, ModuleDocument, ModuleNotice, ModuleStream } from './modulemd.ts';

/** The documents that may stand in the `modules` record of a repository. */
export type RepositoryModuleDocument = ModuleStream | ModuleDefaults | ModuleNotice;

const KIND_ORDER = { defaults: 0, obsoletes: 1, translations: 2, stream: 3 } as const;

/** Identity of a stream document: `name:stream:version:context:arch`, the arch empty when it has none. */
export function formatNsvca(stream: ModuleStream): string {
  return `${formatNsvc(stream)}:${stream.arch ?? ''}`;
}

/**
 * Writes the `modules` record of one repository: each document as it came, in libmodulemd's order (by module; in a
 * module defaults, obsoletes, translations, then streams), equal ones once. Null when there is nothing to write:
 * a repository without modules has no such record. Documents about modules without a stream here are left out.
 * Throws `modulemd.stream_differs` and `modulemd.defaults_twice`. Source: module contract 5.
 */
export function writeModulesYaml(documents: readonly RepositoryModuleDocument[]): string | null {
  const present = new Set(
    documents.flatMap((document) => (document.kind === 'stream' ? [document.name] : [])),
  );
  const chosen = new Map<string, RepositoryModuleDocument>();
  for (const document of documents) {
    if (!present.has(moduleOf(document))) continue;
    const key = keyOf(document);
    const earlier = chosen.get(key);
    if (earlier === undefined) chosen.set(key, document);
    else if (earlier.text !== document.text) throw differs(document);
  }
  if (chosen.size === 0) return null;
  return [...chosen]
    .sort(([left], [right]) => (left < right ? -1 : left > right ? 1 : 0))
    .map(([, document]) => document.text)
    .join('');
}

/** The documents that libmodulemd would take up: all but packager files and unknown kinds. */
export function repositoryDocuments(
  documents: readonly ModuleDocument[],
): readonly RepositoryModuleDocument[] {
  return documents.filter((document) => document.kind !== 'foreign');
}

function moduleOf(document: RepositoryModuleDocument): string {
  return document.kind === 'stream' ? document.name : document.module;
}

function keyOf(document: RepositoryModuleDocument): string {
  const head = `${moduleOf(document)}\0${KIND_ORDER[document.kind]}\0`;
  switch (document.kind) {
    case 'stream':
      return head + formatNsvca(document);
    case 'defaults':
      return head;
    case 'obsoletes':
    case 'translations':
      return `${head}${document.stream}\0${document.text}`;
    default:
      return document satisfies never;
  }
}

function differs(document: RepositoryModuleDocument): ReactorError {
  return document.kind === 'stream'
    ? new ReactorError(
        'modulemd.stream_differs',
        `There are two different documents of ${formatNsvca(document)}.`,
        {
          hint: 'A module build has one document for each arch; look which of its sources is wrong.',
        },
      )
    : new ReactorError(
        'modulemd.defaults_twice',
        `There are two different defaults of module ${moduleOf(document)}.`,
        {
          hint: 'Keep one modulemd-defaults document for each module.',
        },
      );
}

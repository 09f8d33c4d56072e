import { z } from 'zod';
import { composeJson, type Compose, type ComposeJson } from '../model/compose-json.ts';
import { composeDirectoryName } from '../model/compose.ts';
import { ReactorError } from '../model/errors.ts';
import type { TargetDirUrls } from '../model/target-dir-urls.ts';
import type { ComposePlan } from './plan.ts';

/** Where the provenance of a compose lies, below its directory. */
export const PROVENANCE_FILE = 'compose/metadata/provenance.json';

const STATEMENT = 'https://in-toto.io/Statement/v1';
const PREDICATE = 'https://slsa.dev/provenance/v1';
const BUILD_TYPE = 'urn:odcs-reactor:compose:1';
const BUILDER = 'urn:odcs-reactor';

/** A file that the provenance speaks of. */
export interface ProvenanceSubject {
  /** Path below the directory of the compose. */
  readonly name: string;
  /** SHA-256, hex. */
  readonly sha256: string;
}

/** How a compose came about, beside its plan. */
export interface ComposeMaking {
  /** Of this service. */
  readonly version: string;
  /** What was asked for, in the words of the API. */
  readonly asked: Readonly<Record<string, unknown>>;
  /** What tells this making from every other: the public URL of the compose, or its name. */
  readonly invocation: string;
  readonly startedOn: Date;
}

/** What of the JSON of a compose was asked for and decides what it holds. */
const askedKeys = [
  'arches',
  'base_module_br_name',
  'base_module_br_stream',
  'base_module_br_stream_version_gte',
  'base_module_br_stream_version_lte',
  'builds',
  'compose_type',
  'flags',
  'koji_event',
  'label',
  'lookaside_repos',
  'modular_koji_tags',
  'module_defaults_url',
  'modules',
  'multilib_arches',
  'multilib_method',
  'packages',
  'parent_pungi_compose_ids',
  'results',
  'scratch_build_tasks',
  'scratch_modules',
  'sigkeys',
  'source',
  'source_type',
  'tag_options',
] as const satisfies readonly (keyof ComposeJson)[];

/** Returns how a compose that has begun comes about. `compose` is as it was asked for, before its inputs were pinned. */
export function makingOf(
  compose: Compose,
  { version, targetDirUrls }: { readonly version: string; readonly targetDirUrls: TargetDirUrls },
): ComposeMaking {
  const json = composeJson(compose, targetDirUrls);
  const asked: Record<string, unknown> = Object.fromEntries(askedKeys.map((key) => [key, json[key]]));
  return {
    version,
    asked: compose.series === null ? asked : { ...asked, series: compose.series },
    invocation: json.toplevel_url === '' ? composeDirectoryName(compose) : json.toplevel_url,
    startedOn: compose.timeStarted ?? compose.timeSubmitted,
  };
}

/**
 * Writes how a compose came about, as an in-toto statement whose predicate is SLSA provenance: what was asked for, the
 * pins, the fingerprint and the repositories that packages came from; its subjects are the files that name all others.
 */
export function formatProvenance(
  plan: ComposePlan,
  making: ComposeMaking,
  subjects: readonly ProvenanceSubject[],
): string {
  const { pins, foreign } = plan.selection;
  const statement = {
    _type: STATEMENT,
    subject: subjects.map(({ name, sha256 }) => ({ name, digest: { sha256 } })),
    predicateType: PREDICATE,
    predicate: {
      buildDefinition: {
        buildType: BUILD_TYPE,
        externalParameters: making.asked,
        internalParameters: {
          fingerprint: plan.fingerprint,
          source: pins.source,
          koji_event: pins.kojiEvent,
          ...(pins.arches === undefined ? {} : { arches: pins.arches }),
          ...(pins.sigkeys === undefined ? {} : { sigkeys: pins.sigkeys }),
        },
        resolvedDependencies: [
          // The manifest names every package with the digest of its content.
          { name: 'manifest', digest: { sha256: plan.fingerprint } },
          ...listRepositories(plan).map((uri) => ({ uri })),
          ...foreign.map(({ id, url }) => ({ name: id, uri: url })),
        ],
      },
      runDetails: {
        builder: { id: BUILDER, version: { 'odcs-reactor': making.version } },
        metadata: {
          invocationId: making.invocation,
          startedOn: making.startedOn.toISOString(),
        },
      },
    },
  };
  return `${JSON.stringify(statement, null, 2)}\n`;
}

/** The repositories behind HTTP that packages came from. */
function listRepositories({ selection }: ComposePlan): string[] {
  const found = new Set<string>();
  for (const tree of selection.trees) {
    for (const list of [tree.binary, tree.debug, tree.source]) {
      for (const { package: rpm } of list) {
        const { repository } = rpm.origin;
        if (repository !== undefined && /^https?:/.test(repository)) found.add(repository);
      }
    }
  }
  return [...found].sort();
}

const statementSchema = z.object({
  _type: z.literal(STATEMENT),
  subject: z.array(
    z.object({ name: z.string(), digest: z.object({ sha256: z.string().regex(/^[0-9a-f]{64}$/) }) }),
  ),
  predicateType: z.literal(PREDICATE),
  predicate: z.object({
    buildDefinition: z.object({
      buildType: z.literal(BUILD_TYPE),
      internalParameters: z.object({ fingerprint: z.string() }),
    }),
    runDetails: z.object({
      builder: z.object({ version: z.object({ 'odcs-reactor': z.string() }) }),
    }),
  }),
});

const extensibleSchema = z.looseObject({
  _type: z.literal(STATEMENT),
  subject: z.array(z.looseObject({ name: z.string() })),
});

/**
 * Returns a provenance that speaks of further files; those of the same name are replaced. Throws what JSON and its schema
 * throw for a text that `formatProvenance` did not write.
 */
export function addSubjects(json: string, added: readonly ProvenanceSubject[]): string {
  const statement = extensibleSchema.parse(JSON.parse(json));
  const names = new Set(added.map(({ name }) => name));
  const subject = [
    ...statement.subject.filter(({ name }) => !names.has(name)),
    ...added.map(({ name, sha256 }) => ({ name, digest: { sha256 } })),
  ];
  return `${JSON.stringify({ ...statement, subject }, null, 2)}\n`;
}

/** What is read of a provenance. */
export interface Provenance {
  readonly subjects: readonly ProvenanceSubject[];
  readonly fingerprint: string;
  /** Of the service that made the compose. */
  readonly version: string;
}

/** Reads the provenance of a compose. Throws `verify.provenance_unreadable`. */
export function readProvenance(json: string, where: string): Provenance {
  try {
    const { subject, predicate } = statementSchema.parse(JSON.parse(json));
    return {
      subjects: subject.map(({ name, digest }) => ({ name, sha256: digest.sha256 })),
      fingerprint: predicate.buildDefinition.internalParameters.fingerprint,
      version: predicate.runDetails.builder.version['odcs-reactor'],
    };
  } catch (cause) {
    throw new ReactorError('verify.provenance_unreadable', 'This is no provenance of a compose.', {
      where,
      hint: 'It was changed, or written by a later version.',
      cause,
    });
  }
}

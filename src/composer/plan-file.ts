import { sourceTypes } from '../source-types.ts';
import { z } from 'zod';
import { isContentId } from '../model/content-id.ts';
import { composeFlags, composeResults, multilibMethods, type ComposeRequest } from '../model/compose.ts';
import { ReactorError } from '../model/errors.ts';
import { imageTaskSchema } from '../model/image-task.ts';
import type { TagOptions } from '../model/tag-options.ts';
import { fingerprintOf } from '../model/fingerprint.ts';
import { repodataChecksums } from '../rpm/repodata/repodata-checksum.ts';
import type { ComposePlan } from './plan.ts';
import type { Selection, SelectedTree, SourcePackage } from './selection.ts';

/** Raised when plans are written in another way. */
const FORMAT = 6;

const text = z.string();
const texts = z.array(text);
const maybeText = text.nullable();
const maybeTexts = texts.nullable();
const maybeCount = z.number().nullable();

/** Returns a schema for the keys of a table. */
function namesOf<K extends string>(table: Readonly<Record<K, number>>) {
  return z.custom<K>((value) => typeof value === 'string' && Object.hasOwn(table, value));
}

const tagOptionsSchema: z.ZodType<TagOptions> = z.strictObject({
  only: maybeTexts,
  except: texts,
  unsignedArches: texts,
  waitForSignaturesMs: z.number(),
  embargo: z.strictObject({ tags: texts, builds: texts, shippedTags: texts }).nullable(),
  previousBuilds: z.strictObject({ packages: texts, count: z.number() }).nullable(),
  releasedTag: maybeText,
});

const requestSchema: z.ZodType<ComposeRequest> = z.strictObject({
  sourceType: namesOf(sourceTypes),
  source: texts,
  tagOptions: tagOptionsSchema.exactOptional(),
  packages: maybeTexts,
  builds: maybeTexts,
  sigkeys: texts,
  kojiEvent: maybeCount,
  modularKojiTags: maybeTexts,
  moduleDefaults: z.strictObject({ url: text, commit: text }).nullable(),
  scratchModules: maybeTexts,
  scratchBuildTasks: maybeTexts,
  modules: maybeTexts,
  baseModule: z.strictObject({
    name: maybeText,
    stream: maybeText,
    streamVersionLte: maybeCount,
    streamVersionGte: maybeCount,
  }),
  parentPungiComposeIds: maybeTexts,
  flags: z.array(namesOf(composeFlags)),
  results: z.array(namesOf(composeResults)),
  arches: texts,
  multilibArches: texts,
  multilibMethods: z.array(namesOf(multilibMethods)),
  lookasideRepos: texts,
  label: maybeText,
  composeType: text,
  respinOf: maybeText,
  targetDir: text,
  secondsToLive: z.number(),
});

const stampSchema = z.strictObject({ modified: z.number(), inode: z.number() });
const originSchema = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('file'),
    path: text,
    stamp: stampSchema.nullable().exactOptional(),
    repository: text.exactOptional(),
  }),
  z.strictObject({
    kind: z.literal('http'),
    url: text,
    sha256: maybeText,
    repository: text.exactOptional(),
  }),
]);
const packageSchema: z.ZodType<SourcePackage> = z
  .strictObject({
    name: text,
    epoch: text,
    version: text,
    release: text,
    arch: text,
    nevra: text,
    oddName: text,
    location: text,
    sourceRpm: maybeText,
    fileName: text,
    payload: text.refine(isContentId),
    sigkey: maybeText.exactOptional(),
    size: z.number(),
    origin: originSchema,
  })
  // JSON leaves out what only the file can tell.
  .transform((rpm) => ({ ...rpm, sigkey: rpm.sigkey }));

const selectedSchema = z.array(z.strictObject({ package: z.number(), why: text }));
const moduleSchema = z.strictObject({
  metadata: z.strictObject({
    uid: text,
    name: text,
    stream: text,
    version: text,
    context: text,
    koji_tag: text,
  }),
  modulemd_path: z.record(text, text),
  rpms: texts,
});
const bytes = z.base64().transform((encoded) => new Uint8Array(Buffer.from(encoded, 'base64')));
const productSchema = z.strictObject({ name: text, short: text, version: text, type: text });
const releaseSchema = productSchema.extend({
  isInternal: z.boolean(),
  baseProduct: productSchema.nullable(),
  treeinfoVersion: maybeText,
});
const planSchema = z.strictObject({
  format: z.literal(FORMAT),
  manifest: texts,
  request: requestSchema,
  packages: z.array(packageSchema),
  selection: z.strictObject({
    pins: z.strictObject({
      source: text,
      kojiEvent: maybeCount,
      arches: text.exactOptional(),
      sigkeys: text.exactOptional(),
    }),
    release: releaseSchema.nullable(),
    variants: z.array(
      z.strictObject({
        uid: text,
        id: text,
        name: text,
        type: z.enum(['variant', 'optional', 'addon', 'layered-product']),
        parent: maybeText,
        release: z.strictObject({ name: text, short: text, version: text }).nullable(),
        emptyArches: texts,
        descriptions: z.record(text, text),
      }),
    ),
    trees: z.array(
      z.strictObject({
        variant: text,
        arch: text,
        binary: selectedSchema,
        debug: selectedSchema,
        source: selectedSchema,
      }),
    ),
    foreign: z.array(z.strictObject({ id: text, url: text, maySkip: z.boolean(), digests: texts })),
    documents: z.array(
      z.strictObject({
        variant: text,
        arch: text,
        type: text,
        name: text,
        bytes,
        compression: z.enum(['none', 'gzip', 'zstd']),
      }),
    ),
    layout: z.strictObject({ areDirectoriesHashed: z.boolean(), checksum: z.enum(repodataChecksums) }),
    files: z
      .array(
        z.strictObject({
          variant: text,
          arch: text,
          path: text,
          bytes,
          checksums: z.record(text, text),
        }),
      )
      .nullable(),
    repoclosures: z.array(
      z.strictObject({
        variant: text,
        arch: text,
        arches: texts,
        supporters: texts,
        lookasides: texts,
        unresolved: z.array(z.strictObject({ nevra: text, dependencies: texts })),
      }),
    ),
    imageTasks: z.array(imageTaskSchema),
    modulesJson: z.record(text, z.record(text, z.record(text, moduleSchema))),
    unresolved: z.array(z.strictObject({ variant: text, arch: text, package: text, dependencies: texts })),
    unmatched: texts,
    replaced: z.array(z.strictObject({ build: text, instead: maybeText })),
    warnings: texts,
    remarks: texts,
    notes: texts,
  }),
});

/** Returns a plan as JSON: its request, its manifest and all that was selected, each package once. */
export function writePlan({ request, selection, manifest }: ComposePlan): string {
  const numbers = new Map<SourcePackage, number>();
  const numberOf = (rpm: SourcePackage): number => {
    const number = numbers.get(rpm) ?? numbers.size;
    numbers.set(rpm, number);
    return number;
  };
  const listOf = (packages: SelectedTree['binary']) =>
    packages.map(({ package: rpm, why }) => ({ package: numberOf(rpm), why }));
  const trees = selection.trees.map(({ variant, arch, binary, debug, source }) => ({
    variant,
    arch,
    binary: listOf(binary),
    debug: listOf(debug),
    source: listOf(source),
  }));
  const documents = selection.documents.map(withBase64);
  const files = selection.files?.map(withBase64) ?? null;
  return JSON.stringify({
    format: FORMAT,
    manifest,
    request,
    packages: [...numbers.keys()],
    selection: { ...selection, trees, documents, files },
  });
}

function withBase64<One extends { readonly bytes: Uint8Array }>(record: One) {
  return { ...record, bytes: Buffer.from(record.bytes).toString('base64') };
}

/** Returns the plan that `writePlan` wrote. Throws `compose.plan_unreadable` for anything else. */
export function readPlan(json: string): ComposePlan {
  const { request, manifest, packages, selection } = parsePlan(json);
  const listOf = (selected: z.infer<typeof selectedSchema>) =>
    selected.map(({ package: number, why }) => {
      const rpm = packages[number];
      if (rpm === undefined) throw unreadable(`There is no package ${number}.`);
      return { package: rpm, why };
    });
  const trees = selection.trees.map(({ variant, arch, binary, debug, source }) => ({
    variant,
    arch,
    binary: listOf(binary),
    debug: listOf(debug),
    source: listOf(source),
  }));
  const read: Selection = { ...selection, trees };
  return { request, selection: read, manifest, fingerprint: fingerprintOf(manifest) };
}

function parsePlan(json: string): z.infer<typeof planSchema> {
  try {
    return planSchema.parse(JSON.parse(json));
  } catch (cause) {
    throw unreadable(cause instanceof z.ZodError ? z.prettifyError(cause) : 'It is no JSON.', cause);
  }
}

function unreadable(why: string, cause?: unknown): ReactorError {
  return new ReactorError('compose.plan_unreadable', `This is no plan of a compose: ${why}`, {
    hint: 'It was cut off, or written by another version; plan again.',
    cause,
  });
}

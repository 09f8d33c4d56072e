import { z } from 'zod';

/** The phases of which every image is one task of Koji, in the order in which they are begun. */
export const imagePhases = ['kiwibuild', 'imagebuilder', 'osbuild', 'osbs', 'image_container'] as const;
export type ImagePhase = (typeof imagePhases)[number];

const text = z.string().min(1).max(4096);
const texts = z.array(text).max(1000);
/** A word, or null: made of the label, or of date, type and respin of the compose. */
const release = text.nullable().optional().describe('null makes it of label, or of date and respin');
const repositories = texts.optional().describe('variants and URLs; that of its own variant comes last');
const archesOption = texts.optional().describe('of those of the variant');
const failable = texts.optional().describe('arches whose image may fail; * is all of them');
const ostree = z.strictObject({ parent: text.optional(), ref: text.optional(), url: text.optional() });
const mapping = z.record(z.string(), z.json());

const ofImages = {
  target: text.optional().describe('of Koji'),
  release,
  version: text.optional().describe('that of the release, with the milestone of a label, without it'),
  arches: archesOption,
  failable,
  subvariant: text.optional().describe('what metadata call it; the variant without it'),
  manifest_type: text.optional().describe('the type that metadata give it'),
};

const ofContainers = {
  url: text.describe('of the sources of the container, with #COMMIT or a branch'),
  target: text.describe('of Koji'),
  git_branch: text,
  priority: z.number().int().optional(),
  failable: z.boolean().optional(),
};

/** What images of each phase may say, by the names of Pungi. Source: Pungi's schema of configurations. */
export const imageOptionSchemas = {
  kiwibuild: z.strictObject({
    ...ofImages,
    repos: repositories,
    description_scm: text.optional().describe('the repository of the description: git+https://…#BRANCH'),
    description_path: text.optional().describe('of the description in it'),
    kiwi_profile: text,
    type: text.optional(),
    type_attr: texts.optional(),
    bundle_name_format: text.optional(),
    repo_releasever: text.optional(),
    use_buildroot_repo: z.boolean().optional(),
  }),
  imagebuilder: z.strictObject({
    ...ofImages,
    repos: repositories,
    name: text,
    types: texts.optional().describe('of image-builder'),
    seed: z.number().int().optional(),
    scratch: z.boolean().optional(),
    ostree: ostree.optional(),
    blueprint: mapping.optional(),
  }),
  osbuild: z.strictObject({
    ...ofImages,
    repo: z
      .array(z.union([text, z.strictObject({ baseurl: text, package_sets: texts.optional() })]))
      .max(1000)
      .optional(),
    name: text,
    distro: text,
    image_types: z.union([text, z.tuple([text])]),
    ostree_url: text.optional(),
    ostree_ref: text.optional(),
    ostree_parent: text.optional(),
    customizations: mapping.optional(),
    upload_options: mapping.optional(),
  }),
  osbs: z
    .object({
      ...ofContainers,
      scratch: z.boolean().optional(),
      repo: z.union([text, texts]).optional().describe('variants and URLs of .repo files'),
      gpgkey: text.optional(),
    })
    .catchall(z.json().optional()),
  image_container: z
    .object({
      ...ofContainers,
      scratch: z.boolean().optional(),
      image_spec: z.record(z.string(), text).describe('which image goes in: its properties, as patterns'),
      arch_override: text.optional(),
    })
    .catchall(z.json().optional()),
} as const satisfies Record<ImagePhase, z.ZodType>;

const taskOf = <Phase extends ImagePhase>(phase: Phase) =>
  z.strictObject({
    phase: z.literal(phase),
    /** Uid. */
    variant: text,
    /** Of the images; none for containers, which say themselves. */
    arches: texts,
    /** Arches whose image may fail. */
    failable: texts,
    /** Whether the compose may do without all of it. */
    isFailable: z.boolean(),
    /** The digests that metadata tell of its files. */
    checksums: texts,
    options: imageOptionSchemas[phase],
  });

/** An image that Koji makes of the finished repositories of a compose by one task; defaults are filled in. */
export const imageTaskSchema = z.discriminatedUnion('phase', [
  taskOf('kiwibuild'),
  taskOf('imagebuilder'),
  taskOf('osbuild'),
  taskOf('osbs'),
  taskOf('image_container'),
]);

export type ImageTask = z.infer<typeof imageTaskSchema>;

/** What the images of a definition may say where they say nothing themselves, by option. */
export type ImageDefaults = Readonly<Record<string, JsonValue>>;

/** Options that each image of a phase needs in the end. */
const needed: Readonly<Record<ImagePhase, readonly string[]>> = {
  kiwibuild: ['target', 'description_scm', 'description_path'],
  imagebuilder: ['target', 'types'],
  osbuild: ['target'],
  osbs: [],
  image_container: [],
};

/** What the options of an image become. */
export type CompletedImage =
  | { readonly ok: true; readonly task: ImageTask | null }
  /** Options that it lacks, and arches that its variant does not have. */
  | { readonly ok: false; readonly missing: readonly string[] };

/** What the image of a variant takes from it. */
export interface ImageVariant {
  readonly uid: string;
  readonly arches: readonly string[];
  /** The digests that metadata tell of files. */
  readonly checksums: readonly string[];
}

/**
 * Makes a task of the options of an image of a variant; null where the variant has none of its arches. Options that
 * nobody gives are missing.
 */
export function completeImage(
  phase: ImagePhase,
  options: Readonly<Record<string, unknown>>,
  { uid, arches, checksums }: ImageVariant,
  defaults: ImageDefaults = {},
): CompletedImage {
  const known = Object.keys(imageOptionSchemas[phase].shape);
  const filled = {
    ...Object.fromEntries(Object.entries(defaults).filter(([name]) => known.includes(name))),
    ...options,
  };
  const missing = needed[phase].filter((name) => !Object.hasOwn(filled, name));
  if (missing.length > 0) return { ok: false, missing };
  const place = { phase, variant: uid, checksums, options: filled };
  if (phase === 'osbs' || phase === 'image_container') {
    const isFailable = options['failable'] === true;
    return { ok: true, task: imageTaskSchema.parse({ ...place, arches: [], failable: [], isFailable }) };
  }
  const wanted = z.array(z.string()).optional().parse(options['arches']);
  const own = arches.filter((arch) => wanted?.includes(arch) !== false).toSorted();
  if (own.length === 0) return { ok: true, task: null };
  const mayFail = z.array(z.string()).optional().parse(options['failable']) ?? [];
  const failing = mayFail.includes('*') ? own : own.filter((arch) => mayFail.includes(arch));
  return {
    ok: true,
    task: imageTaskSchema.parse({
      ...place,
      arches: own,
      failable: failing,
      isFailable: failing.length === own.length,
    }),
  };
}

/**
 * How a task of an image stands: it waits to be begun; Koji is being asked for it, and may or may not have it; Koji works
 * on it; it has ended, and its images are there; it failed; it was cancelled.
 */
export type ImageTaskState = 'waiting' | 'asked' | 'running' | 'done' | 'failed' | 'cancelled';

/** What can be written as JSON. */
export type JsonValue =
  null | boolean | number | string | readonly JsonValue[] | { readonly [member: string]: JsonValue };

/** A call of Koji's hub. */
export interface KojiCall {
  readonly method: string;
  readonly args: readonly JsonValue[];
  readonly keywords: Readonly<Record<string, JsonValue>>;
}

import { z } from 'zod';
import { isName, isPathBelow } from '../../model/names.ts';
import { imageOptionSchemas, type ImagePhase } from '../../model/image-task.ts';
import { defaultRevision, pathInRepository } from './git-place.ts';
import { defaultDigests } from './read-beside-sources.ts';
import { isTreeArch } from './variants.ts';

/** Digests that lists of extra files may tell. */
export const fileDigests = ['md5', 'sha1', 'sha224', 'sha256', 'sha384', 'sha512'] as const;

const word = z
  .string({ error: (issue) => (issue.input === undefined ? undefined : 'a text; put numbers in quotes') })
  .min(1)
  .max(1024)
  .regex(/^\S(?:.*\S)?$/, 'a text without blanks around it');
const words = z.array(word).max(10_000);
const arch = word
  .refine((name) => isName('arch', name), 'the name of an arch')
  .refine(isTreeArch, 'the arch of machines, of which trees can be');
const uid = word.refine((name) => isName('variant', name), 'letters, digits, dashes');

/** A list for all arches of a variant, or lists by arch beside those of `all`. */
const byArch = z
  .union([words, z.record(word, words)])
  .meta({ id: 'byArch', description: 'A list, or lists by arch; `all` is for every arch.' });
const multilibMethods = z.array(z.enum(['none', 'runtime', 'devel', 'all'])).max(10);

const product = {
  name: word,
  short: word.regex(/^[^\s/]+$/, 'no blanks or slashes').describe('as in the id of composes'),
  version: word,
};
const type = word.default('ga').describe('ga, updates, eus and so on');

const release = z.strictObject({
  ...product,
  type,
  internal: z.boolean().default(false),
  discinfo: word.optional().describe('what .discinfo says, with %(variant_name)s and %(arch)s'),
  treeinfo_version: word.optional().describe('stands in .treeinfo for the version'),
});

const koji = z.strictObject({
  profile: word.optional().describe('of koji.conf; has to be that of the service'),
  tags: words.min(1),
  inherit: z.boolean().default(true),
  event: z.int().min(0).optional().describe('the tags as they were then'),
  builds: words.default([]).describe('NVRs added to each tag'),
  scratch_tasks: z.array(z.int().min(1)).max(1000).default([]),
  module_tags: words.default([]),
  inherit_modules: z.boolean().default(false),
  module_builds: z.record(word, words).default({}).describe('more NAME:STREAM:VERSION:CONTEXT by variant'),
});

const inputs = z
  .strictObject({
    koji: koji.optional(),
    repositories: byArch.optional().describe('directories and URLs'),
    composes: z
      .array(z.union([word.refine((name) => isName('series', name), 'the name of a series'), z.int().min(1)]))
      .min(1)
      .max(100)
      .optional()
      .describe('series of this service, or ids of composes'),
  })
  .refine(
    (given) => Object.values(given).filter((value) => value !== undefined).length === 1,
    'exactly one of koji, repositories, composes',
  );

const method = z.enum(['deps', 'nodeps']);
const methodBySource = z.strictObject({
  module: method.optional(),
  comps: method.optional(),
  json: method.optional(),
});

const group = z.union([
  word,
  z.strictObject({
    id: word,
    glob: z.boolean().default(false).describe('the id is a glob'),
    default: z.boolean().optional(),
    uservisible: z.boolean().optional(),
  }),
]);
const environment = z.union([word, z.strictObject({ id: word, display_order: z.int() })]);
const strictness = z.enum(['off', 'lenient', 'fatal']);
const wish = z.union([word, z.strictObject({ name: word, arch })]);
const wishes = z.array(wish).max(10_000);

const repositoryPath = word.refine(isInRepository, 'a path in the repository');
const ofGit = {
  git: word.describe('the URL of a git repository'),
  revision: word
    .default(defaultRevision)
    .describe('a commit, branch or tag; looked up anew for each compose'),
};
const ownPath = word.refine(isPathBelow, 'a path below the directory of the definition');
/** A file or directory beside the definition, or one of a git repository. */
const path = z.union([ownPath, z.strictObject({ ...ofGit, path: repositoryPath.default('') })]);
const target = word.refine(isPathBelow, 'a directory of the tree');
function isInRepository(name: string): boolean {
  return pathInRepository(name) !== null;
}

const extraFiles = z
  .strictObject({
    package: word
      .optional()
      .describe('a package of the compose that has them, globs and %(arch)s; beside this file without'),
    git: word.optional().describe('the URL of a git repository that has them'),
    revision: word.optional().describe('a commit, branch or tag of it'),
    files: words.default([]).describe('paths; globs where a package has them'),
    directories: words.default([]).describe('with all below them'),
    to: target.optional().describe('the directory of the tree'),
  })
  .refine(
    ({ package: owner, git, files, directories }) =>
      owner !== undefined ||
      [...files, ...directories].every(git === undefined ? isPathBelow : isInRepository),
    'paths below the directory of the definition',
  )
  .refine(
    ({ package: owner, git, revision }) => (git === undefined ? revision === undefined : owner === undefined),
    'one of package and git, and revision only with git',
  );
const extraFilesList = z.array(extraFiles).max(1_000);

const imageOf = <Phase extends ImagePhase>(phase: Phase) =>
  imageOptionSchemas[phase].extend({ phase: z.literal(phase) });
const image = z.discriminatedUnion('phase', [
  imageOf('kiwibuild'),
  imageOf('imagebuilder'),
  imageOf('osbuild'),
  imageOf('osbs'),
  imageOf('image_container'),
]);

const content = {
  name: word.optional().describe('for people; the id without it'),
  arches: z.array(arch).min(1).optional().describe('of those at the top'),
  from: z
    .array(z.union([word, z.int()]))
    .min(1)
    .optional()
    .describe('the composes it takes from; all without it'),
  groups: z.array(group).default([]).describe('ids of comps; without any, every group'),
  environments: z.array(environment).default([]),
  packages: byArch.default([]).describe('beside the groups: NAME, globs, NAME.ARCH, NAME.+'),
  exclude_packages: byArch.default([]),
  modules: words.optional().describe('NAME:STREAM and more, globs in module tags'),
  module_tags: words.default([]),
  exclude_modules: byArch.default([]).describe('globs NAME[:STREAM]'),
  multilib: z.union([multilibMethods, z.record(word, multilibMethods)]).default([]),
  lookaside: z.array(uid).default([]).describe('variants whose packages it does not ship again'),
  lookaside_repositories: byArch.default([]),
  mapped_packages: z.record(word, wishes).default({}).describe('by arch; gathered on their own'),
  prepopulate: z.record(word, words).default({}).describe('NAME.ARCH by arch, gathered with the groups'),
  empty: z.boolean().default(false).describe('it has no trees'),
  extra_files: z
    .union([extraFilesList, z.record(word, extraFilesList)])
    .optional()
    .describe('files that lie in its trees; those of sources by the arch src, which all does not mean'),
  images: z
    .array(image)
    .max(200)
    .default([])
    .describe('that Koji makes of the finished repositories; options as Pungi calls them'),
  method: z.union([method, methodBySource]).optional(),
  repoclosure: z.union([strictness, z.record(word, strictness)]).optional(),
};

const child = z.strictObject({
  ...content,
  type: z.enum(['addon', 'optional', 'layered-product']),
  release: z.strictObject(product).optional().describe('of a layered product'),
});
const variant = z.strictObject({
  ...content,
  children: z.record(uid, child).default({}).describe('addons, optionals, layered products'),
});

const gather = z.strictObject({
  method: method.default('deps'),
  greedy: z.enum(['none', 'build', 'all']).default('none'),
  fulltree: z.boolean().default(false),
  selfhosting: z.boolean().default(false),
  check_deps: z.boolean().default(true).describe('refuse what requires something nobody has'),
  noarch_exclusive: z
    .boolean()
    .default(true)
    .describe('ExclusiveArch with noarch lets a noarch package into every arch'),
  filter_environments: z.boolean().default(true),
  multilib_whitelist: byArch.default([]),
  multilib_blacklist: byArch.default([]),
});

const output = z.strictObject({
  hashed_directories: z.boolean().default(false),
  checksum: z.enum(['sha1', 'sha256', 'sha512']).default('sha256'),
  skip_phases: words.default([]),
  file_digests: z
    .array(z.enum(fileDigests))
    .default([...defaultDigests])
    .describe('what the list of extra files calls them by'),
});

const modules = z.strictObject({
  defaults: path.optional().describe('a directory of their documents'),
  default_overrides: path.optional().describe('the same, instead of defaults of the same modules'),
  obsoletes: path.optional().describe('a directory of documents that say which streams are obsolete'),
});

const productCertificates = z.strictObject({
  directory: path.describe('of files VARIANT-ARCH-*.pem'),
  allow_missing: z.boolean().default(false),
  allow_prefix: z.boolean().default(true).describe('the names may begin with something else'),
});

/** The strict shape of a definition of a main compose, version 1. */
export const definitionFileSchema = z
  .strictObject({
    version: z.literal(1),
    name: z
      .string()
      .regex(/^[a-z0-9][a-z0-9.-]{0,79}$/, 'small letters, digits, dots and dashes')
      .describe('the name of the file without .yaml'),
    description: z.string().min(1).max(2000).optional(),
    release,
    base_product: z.strictObject({ ...product, type }).optional(),
    arches: z.array(arch).min(1),
    inputs,
    sigkeys: z
      .array(word)
      .min(1)
      .default(['unsigned'])
      .describe('in order of preference; the word unsigned allows packages without'),
    comps: path.optional().describe('a file beside this one, or one of a git repository'),
    modules: modules.prefault({}),
    product_certificates: productCertificates.optional(),
    repoclosure: strictness.default('lenient'),
    gather: gather.prefault({}),
    variants: z.record(uid, variant).refine((all) => Object.keys(all).length > 0, 'at least one variant'),
    output: output.prefault({}),
  })
  .meta({
    title: 'odcs-reactor main compose',
    description: 'One main compose per file; the file is named after it.',
  });

export type DefinitionFile = z.infer<typeof definitionFileSchema>;
export type DefinitionInput = z.input<typeof definitionFileSchema>;
/** A path beside the definition, or a place in a git repository. */
export type WrittenPlace = z.infer<typeof path>;
export type PlaceInput = z.input<typeof path>;
export type ExtraFilesEntry = z.infer<typeof extraFiles>;
export type VariantEntry = z.infer<typeof variant>;
export type ChildEntry = z.infer<typeof child>;
/** A list for all arches, or lists by arch beside those of `all`. */
export type ByArch<Item = string> = readonly Item[] | Readonly<Record<string, readonly Item[]>>;

/** JSON Schema (draft 2020-12) of a definition, for editors. */
export function definitionJsonSchema(): unknown {
  return {
    $comment: 'Generated by src/commands/generate.ts from the schema of definitions.',
    ...z.toJSONSchema(definitionFileSchema, { io: 'input' }),
  };
}

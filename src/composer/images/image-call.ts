import type { ImageTask, JsonValue, KojiCall } from '../../model/image-task.ts';
import { ReactorError } from '../../model/errors.ts';
import type { ComposeIdentity } from '../../rpm/productmd.ts';
import { treePlaces, type ProductmdVariant } from '../../rpm/productmd-variant.ts';
import { imageWordsOf, type ImageWords } from './image-words.ts';

/** A compose as those see it who make images of it. */
export interface ImagePlace {
  readonly identity: ComposeIdentity;
  /** Its public URL, without a final slash. */
  readonly toplevelUrl: string;
  readonly variants: readonly ProductmdVariant[];
}

/** A task of images that are made of repositories. */
export type RepositoryTask = Exclude<ImageTask, { phase: 'osbs' | 'image_container' }>;

/**
 * Returns the call that has Koji make images of the repositories of a compose; in their URLs stands `$arch`, which its
 * builders fill in. Throws `main.image_invalid`. Source: main compose contract 11, and Pungi's phases of these names.
 */
export function callOfImage(task: RepositoryTask, place: ImagePlace): KojiCall {
  const words = imageWordsOf(place.identity);
  switch (task.phase) {
    case 'kiwibuild':
      return kiwiCall(task, words, urlsOf(task, place, task.options.repos));
    case 'imagebuilder':
      return imageBuilderCall(task, words, urlsOf(task, place, task.options.repos));
    case 'osbuild':
      return osbuildCall(task, words, repositoriesOf(task, place, task.options.repo));
    default:
      return task satisfies never;
  }
}

type TaskOf<Phase> = Extract<ImageTask, { phase: Phase }>;

/** Options that older hubs do not know are told where they are given only. */
function kiwiCall(
  { arches, failable, options }: TaskOf<'kiwibuild'>,
  words: ImageWords,
  repos: readonly string[],
): KojiCall {
  const { target = '', description_scm: scm = '', description_path: path = '' } = options;
  return {
    method: 'kiwiBuild',
    args: [target, arches, scm, path],
    keywords: {
      profile: options.kiwi_profile,
      release: words.release(options.release),
      repos,
      optional_arches: failable,
      ...given({
        type: options.type,
        type_attr: options.type_attr,
        result_bundle_name_format: options.bundle_name_format,
        version: options.version === undefined ? undefined : words.version(options.version),
        repo_releasever: options.repo_releasever,
        use_buildroot_repo: options.use_buildroot_repo,
      }),
    },
  };
}

function imageBuilderCall(
  { arches, options }: TaskOf<'imagebuilder'>,
  words: ImageWords,
  repos: readonly string[],
): KojiCall {
  const { target = '', types = [], ostree } = options;
  return {
    method: 'imageBuilderBuild',
    args: [target, arches],
    keywords: {
      types,
      name: options.name,
      version: words.version(options.version),
      opts: {
        repos,
        ...given({
          release: words.release(options.release) ?? undefined,
          seed: options.seed,
          scratch: options.scratch,
          ostree: ostree === undefined ? undefined : given(ostree),
          blueprint: options.blueprint,
        }),
      },
    },
  };
}

function osbuildCall(
  { arches, options }: TaskOf<'osbuild'>,
  words: ImageWords,
  repo: readonly JsonValue[],
): KojiCall {
  const { name, distro, image_types: types, target = '' } = options;
  const ostree = given({ url: options.ostree_url, ref: options.ostree_ref, parent: options.ostree_parent });
  return {
    method: 'osbuildImage',
    args: [name, words.version(options.version), distro, types, target, arches],
    keywords: {
      opts: {
        repo,
        ...given({
          ostree: Object.keys(ostree).length === 0 ? undefined : ostree,
          upload_options: options.upload_options,
          customizations: options.customizations,
          release: words.release(options.release) ?? undefined,
        }),
      },
    },
  };
}

/** Returns those members that are given. */
export function given(
  members: Readonly<Record<string, JsonValue | undefined>>,
): Readonly<Record<string, JsonValue>> {
  return Object.fromEntries(
    Object.entries(members).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
  );
}

type OwnRepository =
  string | { readonly baseurl: string; readonly package_sets?: readonly string[] | undefined };

/** Those that are named, then the one of the variant. */
function repositoriesOf(
  task: RepositoryTask,
  place: ImagePlace,
  named: readonly OwnRepository[] = [],
): JsonValue[] {
  const found = named.map((repository): JsonValue => {
    if (typeof repository === 'string') return urlOf(task, place, repository);
    return given({ baseurl: urlOf(task, place, repository.baseurl), package_sets: repository.package_sets });
  });
  const isEmpty = place.variants.some(
    ({ uid, emptyArches }) => uid === task.variant && emptyArches.length > 0,
  );
  return isEmpty || named.includes(task.variant) ? found : [...found, urlOf(task, place, task.variant)];
}

function urlsOf(task: RepositoryTask, place: ImagePlace, named: readonly string[] = []): string[] {
  return repositoriesOf(task, place, named).map(String);
}

function urlOf({ phase, variant }: RepositoryTask, place: ImagePlace, name: string): string {
  if (name.includes('://')) return name;
  return repositoryUrl(place, name, { phase, variant, arch: '$arch' });
}

/**
 * Returns the URL of the repository of a variant. Throws `main.image_invalid` for a variant that is none, and for what
 * Koji cannot read.
 */
export function repositoryUrl(
  { toplevelUrl, variants }: ImagePlace,
  name: string,
  { phase, variant, arch }: Pick<ImageTask, 'phase' | 'variant'> & { readonly arch: string },
): string {
  const found = variants.find(({ uid }) => uid === name);
  if (found !== undefined) return `${toplevelUrl}/compose/${treePlaces(found, arch).binary.repository}`;
  const what = name.startsWith('/')
    ? `Koji cannot read the directory ${name}`
    : `There is no variant ${name}`;
  throw new ReactorError('main.image_invalid', `${what} to get repo from.`, {
    where: `${phase} of ${variant}`,
    hint: 'Name a variant of the compose, or a URL.',
  });
}

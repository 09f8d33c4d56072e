import type { ImageTask, KojiCall } from '../../model/image-task.ts';
import { ReactorError } from '../../model/errors.ts';
import { pungiComposeId } from '../../rpm/productmd.ts';
import type { ListedImage } from '../../rpm/productmd-images.ts';
import { matchesAtStart } from '../python-pattern.ts';
import { given, repositoryUrl, type ImagePlace } from './image-call.ts';

/** A task that builds a container. */
export type ContainerTask = Extract<ImageTask, { phase: 'osbs' | 'image_container' }>;

/** A `.repo` file that a container is built with. */
export interface ImageRepoFile {
  /** Below the directory of the compose. */
  readonly path: string;
  readonly text: string;
}

/** Returns the call that has Koji build a container. Throws `main.image_invalid`. Source: Pungi's phases of these names. */
export function callOfContainer(task: ContainerTask, place: ImagePlace, position: number): KojiCall {
  const { url, target, priority } = task.options;
  const urls =
    task.phase === 'osbs'
      ? namedRepositories(task).map((name) => repoFileUrl(task, place, { name, position }))
      : [`${place.toplevelUrl}/${pathOfRepoFile(task, 'image', position)}`];
  return {
    method: 'buildContainer',
    args: [url, target, { ...ownOptions(task), yum_repourls: urls }],
    keywords: given({ priority }),
  };
}

/** What Koji is told beside the repositories: everything that is not for the composer. */
function ownOptions({ phase, options }: ContainerTask) {
  const forComposer = ['url', 'target', 'priority', 'failable'];
  const own = phase === 'osbs' ? ['repo', 'gpgkey', 'registry'] : ['image_spec'];
  return given(
    Object.fromEntries(Object.entries(options).filter(([name]) => ![...forComposer, ...own].includes(name))),
  );
}

type OsbsTask = Extract<ImageTask, { phase: 'osbs' }>;

/** The variant, then those that it names. */
function namedRepositories({ variant, options: { repo = [] } }: OsbsTask): readonly string[] {
  return [variant, ...(typeof repo === 'string' ? [repo] : repo)];
}

function repoFileUrl(
  task: OsbsTask,
  { identity, toplevelUrl }: ImagePlace,
  { name, position }: { readonly name: string; readonly position: number },
): string {
  if (name.includes('://')) return name.replaceAll('$COMPOSE_ID', pungiComposeId(identity));
  return `${toplevelUrl}/${pathOfRepoFile(task, name, position)}`;
}

function pathOfRepoFile({ phase }: ContainerTask, name: string, position: number): string {
  return `work/images/${phase}-${position}-${name}.repo`;
}

/** Returns the files of the repositories of variants that a container is built with. Throws `main.image_invalid`. */
export function repoFilesOf(task: OsbsTask, place: ImagePlace, position: number): ImageRepoFile[] {
  const id = pungiComposeId(place.identity);
  return namedRepositories(task)
    .filter((name) => !name.includes('://'))
    .map((name) => {
      const baseurl = repositoryUrl(place, name, { ...task, arch: '$basearch' });
      const text = `[${id}-${name}-${position}]
name=Compose ${id} (RPMs) - ${name}
baseurl=${baseurl}
enabled=1
${formatGpgcheck(task.options.gpgkey)}`;
      return { path: pathOfRepoFile(task, name, position), text };
    });
}

function formatGpgcheck(gpgkey: string | undefined): string {
  return gpgkey === undefined ? 'gpgcheck=0\n' : `gpgcheck=1\ngpgkey=${gpgkey}\n`;
}

/**
 * Returns the file that leads to the one image that goes into a container. Throws `koji.image_failed` where not exactly one
 * of the images is the one that it describes. Source: Pungi's phase image_container.
 */
export function imageRepoFileOf(
  task: Extract<ImageTask, { phase: 'image_container' }>,
  { toplevelUrl, position }: Pick<ImagePlace, 'toplevelUrl'> & { readonly position: number },
  images: readonly ListedImage[],
): ImageRepoFile {
  const { image_spec: spec, arch_override: override = '' } = task.options;
  const arches = override.split(/\s+/).filter(Boolean);
  const paths = new Set(
    images
      .filter(({ variant }) => variant === task.variant)
      .filter(({ image }) => arches.length === 0 || arches.includes(image.arch))
      .filter(({ image }) => isDescribed(image, spec))
      .map(({ image }) => image.path.replaceAll(image.arch, '$basearch')),
  );
  const [path, ...others] = paths;
  if (path === undefined || others.length > 0) {
    throw new ReactorError(
      'koji.image_failed',
      `${paths.size} images matched the image_spec of image_container of ${task.variant}. Only one was expected.`,
    );
  }
  const text = `[image-to-include]
name=Location of image to embed
baseurl=${toplevelUrl}/compose/${path}
enabled=0
gpgcheck=0
`;
  return { path: pathOfRepoFile(task, 'image', position), text };
}

function isDescribed(image: ListedImage['image'], spec: Readonly<Record<string, string>>): boolean {
  const told: Readonly<Record<string, string>> = {
    arch: image.arch,
    path: image.path,
    type: image.type,
    format: image.format,
    subvariant: image.subvariant,
  };
  return Object.entries(spec).every(([name, pattern]) => matchesAtStart(pattern, told[name] ?? ''));
}

import { readFileSync } from 'node:fs';
import { listImageTasks, putImageTasks } from '../../database/image-tasks.ts';
import { findCompose } from '../../database/composes.ts';
import { transaction } from '../../database/transaction.ts';
import { GENERATED } from '../../lifecycle/claim-fingerprint.ts';
import { moveHeldCompose, type HeldCompose } from '../../lifecycle/move-compose.ts';
import type { Compose } from '../../model/compose-json.ts';
import { imagePhases, type ImageTask, type KojiCall } from '../../model/image-task.ts';
import { ReactorError } from '../../model/errors.ts';
import { targetDirUrlOf } from '../../model/target-dir-urls.ts';
import { addImages } from '../../rpm/productmd-images.ts';
import { formatOsbs } from '../../rpm/productmd-osbs.ts';
import type { ComposePlace } from '../build/write-metadata.ts';
import type { ComposerContext } from '../composer-context.ts';
import { IMAGES_FILE } from '../discs/write-discs.ts';
import { moveLinks } from '../move-links.ts';
import { Pen } from '../pen.ts';
import { isPublished, linkLatest, publishedDirectory, showBuilt } from '../publish.ts';
import { metadataKeyOf } from '../signing/metadata-key.ts';
import { openMetadataSigner } from '../signing/sign-metadata.ts';
import type { ComposeWatch } from '../watch-compose.ts';
import { callOfContainer, repoFilesOf, type ImageRepoFile } from './container-call.ts';
import { callOfImage, type ImagePlace } from './image-call.ts';
import { makeImages, type MadeImages } from './make-images.ts';
import { nameImages } from './name-images.ts';
import { replaceFile } from './place-image.ts';

const OSBS_FILE = 'compose/metadata/osbs.json';
const MAKING_IMAGES = 'Compose is generating: Koji makes its images';

/** A compose whose images Koji makes, and where it lies. */
export interface ImagesWork {
  readonly taken: HeldCompose & { readonly compose: Compose };
  readonly targetDir: string;
}

/** An image of a compose, the call that makes it, and files that its builders read. */
export interface CalledImage {
  readonly task: ImageTask;
  readonly call: KojiCall;
  readonly files: readonly ImageRepoFile[];
}

/** Whether an attempt showed the compose and began with its images: what it shows is kept then. */
export async function hasBegunImages(
  { database }: Pick<ComposerContext, 'database'>,
  { taken, targetDir }: ImagesWork,
): Promise<boolean> {
  if (taken.attempt === 1 || !isPublished(targetDir, taken.id)) return false;
  return (await listImageTasks(database.kysely, taken.id)).length > 0;
}

/**
 * Returns the calls that make the images of a compose. Throws `main.image_invalid`, and `main.images_unreachable` where Koji
 * could not read its repositories.
 */
export function callImages(
  tasks: readonly ImageTask[],
  { place, identity, variants }: Pick<ImagePlace, 'identity' | 'variants'> & { readonly place: ComposePlace },
): readonly CalledImage[] {
  if (tasks.length === 0) return [];
  if (!('toplevelUrl' in place)) {
    throw new ReactorError(
      'main.images_unreachable',
      'Koji cannot make images of a compose that has no public URL.',
      { hint: 'Compose it into a target directory that has one, or leave the images out.' },
    );
  }
  const shown = { identity, variants, toplevelUrl: place.toplevelUrl };
  // Containers of images come last.
  const ordered = tasks.toSorted((a, b) => imagePhases.indexOf(a.phase) - imagePhases.indexOf(b.phase));
  return ordered.map((task, position) => {
    switch (task.phase) {
      case 'osbs':
        return {
          task,
          call: callOfContainer(task, shown, position),
          files: repoFilesOf(task, shown, position),
        };
      case 'image_container':
        return { task, call: callOfContainer(task, shown, position), files: [] };
      case 'kiwibuild':
      case 'imagebuilder':
      case 'osbuild':
        return { task, call: callOfImage(task, shown), files: [] };
      default:
        return task satisfies never;
    }
  });
}

/** Writes the files that builders of images read into a compose that is built. */
export function writeImageFiles(directory: string, called: readonly CalledImage[]): void {
  const pen = new Pen(directory);
  for (const { files } of called) for (const { path, text } of files) pen.writeFile(path, text);
}

/**
 * Shows a compose that is built, so that Koji can read it, and keeps what images it is to have. It is not done by that, and
 * no link leads to it but its own. Throws `compose.ended_elsewhere`.
 */
export async function showForImages(
  { database }: Pick<ComposerContext, 'database'>,
  { taken, targetDir }: ImagesWork,
  { called, pungiComposeId }: { readonly called: readonly CalledImage[]; readonly pungiComposeId: string },
): Promise<void> {
  linkLatest(targetDir, taken.id);
  await transaction(database, async (tx) => {
    const pinned = { pungiComposeId };
    const held = await moveHeldCompose(tx, taken, 'pin', { reason: MAKING_IMAGES, pinned });
    if (held === undefined) throw attemptLost();
    await putImageTasks(tx, taken.id, called);
    await showBuilt(targetDir, taken);
  });
}

/**
 * Has Koji make the images of a compose that is shown, lists them in its metadata, and ends it. What an earlier attempt began
 * is gone on with. Throws what `makeImages` throws, and `compose.ended_elsewhere`.
 */
export async function finishWithImages(
  context: ComposerContext,
  { taken, targetDir }: ImagesWork,
  watch: Pick<ComposeWatch, 'signal' | 'progress' | 'limitTime'>,
): Promise<void> {
  const { database, imageKoji: koji, output } = context;
  if (koji === null) {
    throw new ReactorError('main.images_unavailable', 'The images of the compose cannot be made any more.', {
      hint: 'They need koji_profile and koji_login_certificate or koji_login_keytab.',
      fate: 'halt',
    });
  }
  // Each task has a limit of its own.
  watch.limitTime(null);
  const log = context.log.child({ compose: taken.id, attempt: taken.attempt });
  const { signal, progress } = watch;
  const composeId = (await findCompose(database.kysely, taken.id))?.pungiComposeId ?? '';
  const toplevelUrl = `${targetDirUrlOf(context.targetDirUrls, taken.compose.targetDir) ?? ''}/odcs-${taken.id}`;
  const pen = new Pen(publishedDirectory(targetDir, taken.id));
  const now = (): Date => database.clock.now();
  const { delivery } = output;
  const made = await makeImages(
    { database, koji, log, held: taken, signal, now, progress, delivery, composeId, toplevelUrl },
    pen,
  );
  const documents = writeMade(pen, made);
  const key = metadataKeyOf(context.metadataKeys, taken.compose);
  const signer = key === null ? null : await openMetadataSigner(key);
  await nameImages(pen, { images: made.images, documents, signer, signal });
  replaceFile(pen, 'STATUS', made.warnings.length === 0 ? 'FINISHED\n' : 'FINISHED_INCOMPLETE\n');
  signal.throwIfAborted();
  await transaction(database, async (tx) => {
    const compose = await findCompose(tx.sql, taken.id);
    const warnings = [...(compose?.warnings ?? []), ...made.warnings];
    const done = await moveHeldCompose(tx, taken, 'publish', { reason: GENERATED, pinned: { warnings } });
    if (done === undefined) throw attemptLost();
    await moveLinks(context, tx, taken.compose);
  });
}

/** Lists images in the metadata; returns which files list them, below the directory of the compose. */
function writeMade(pen: Pen, { images, containers }: MadeImages): readonly string[] {
  replaceFile(pen, IMAGES_FILE, addImages(readFileSync(pen.path(IMAGES_FILE), 'utf8'), images));
  if (containers.length === 0) return [IMAGES_FILE];
  replaceFile(pen, OSBS_FILE, formatOsbs(containers));
  return [IMAGES_FILE, OSBS_FILE];
}

function attemptLost(): ReactorError {
  return new ReactorError('compose.ended_elsewhere', 'The compose was ended while its images were made.');
}

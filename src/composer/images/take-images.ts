import { basename } from 'node:path';
import { ReactorError } from '../../model/errors.ts';
import type { ImageTask } from '../../model/image-task.ts';
import type { ListedImage } from '../../rpm/productmd-images.ts';
import {
  listContainers,
  listOsbuildArchives,
  listTaskImages,
  type BuiltContainers,
} from '../../upstream/koji/hub-image-tasks.ts';
import type { Pen } from '../pen.ts';
import type { MakeImagesContext } from './image-context.ts';
import { kindOfArchive, kindOfFile, type ImageKind } from './image-kinds.ts';
import { describeTask } from './image-koji.ts';
import { placeImage, type FoundImage, type PlaceImageContext } from './place-image.ts';

/** What one task brought into a compose. */
export interface TakenImages {
  readonly images: readonly ListedImage[];
  /** Null for tasks that build no containers. */
  readonly containers: BuiltContainers | null;
  /** Arches that failed and may fail. */
  readonly warnings: readonly string[];
}

/** A file, and what it is. */
interface Found extends ImageKind {
  readonly arch: string;
  readonly path: string;
  readonly isBootable: boolean;
}

/**
 * Takes what a task brought that has ended well. Throws `koji.image_failed` where it brought nothing for an arch that may not
 * fail, and what the hub and placing throw.
 */
export async function takeImages(
  context: MakeImagesContext,
  { task, task_id: taskId }: { readonly task: ImageTask; readonly task_id: number },
  pen: Pen,
): Promise<TakenImages> {
  const { hub } = context.koji;
  if (task.phase === 'osbs' || task.phase === 'image_container') {
    const isScratch = task.options.scratch === true;
    const { composeId } = context;
    const containers = await listContainers(hub, taskId, { composeId, isScratch }, context);
    return { images: [], containers, warnings: [] };
  }
  const found = await findImages(context, task, taskId);
  const missing = task.arches.filter((arch) => !found.some((image) => image.arch === arch));
  const worst = missing.find((arch) => !task.failable.includes(arch));
  const page = describeTask(context.koji.webUrl, taskId);
  if (worst !== undefined || found.length === 0) {
    throw new ReactorError(
      'koji.image_failed',
      `The image ${task.phase} of ${task.variant} brought nothing for ${missing.join(', ')}: ${page}`,
    );
  }
  const { options } = task;
  const placing: PlaceImageContext = {
    files: context.koji.files,
    delivery: context.delivery,
    now: context.now(),
    signal: context.signal,
  };
  const images: ListedImage[] = [];
  for (const built of found) {
    const image: FoundImage = {
      ...built,
      type: options.manifest_type ?? built.type,
      variant: task.variant,
      subvariant: options.subvariant ?? task.variant,
      checksums: task.checksums,
    };
    images.push(await placeImage(placing, pen, image));
  }
  const warnings = missing.map(
    (arch) => `There is no image ${task.phase} of ${task.variant} for ${arch}, which may fail: ${page}`,
  );
  return { images, containers: null, warnings };
}

async function findImages(
  context: MakeImagesContext,
  { phase }: ImageTask,
  taskId: number,
): Promise<readonly Found[]> {
  const { hub } = context.koji;
  if (phase === 'osbuild') {
    return (await listOsbuildArchives(hub, taskId, context)).flatMap(({ arch, typeName, fileName, path }) => {
      const kind = kindOfArchive(typeName, fileName);
      return kind === null ? [] : [{ ...kind, arch, path, isBootable: false }];
    });
  }
  const ofArches = await listTaskImages(hub, taskId, context);
  return ofArches.flatMap(({ arch, paths }) =>
    (paths ?? []).flatMap((path) => {
      const kind = kindOfFile(phase === 'imagebuilder' ? phase : 'kiwibuild', basename(path));
      return kind === null ? [] : [{ ...kind, arch, path, isBootable: kind.format === 'iso' }];
    }),
  );
}

import { moveImageTask, type ImageTaskChange, type ImageTaskHolder } from '../../database/image-tasks.ts';
import { transaction, type TransactionContext } from '../../database/transaction.ts';
import type { Log } from '../../log.ts';
import { ReactorError } from '../../model/errors.ts';
import type { ImageTaskState } from '../../model/image-task.ts';
import type { Progress } from '../selection.ts';
import type { ImageKoji } from './image-koji.ts';
import type { PlaceImageContext } from './place-image.ts';

/** What asking for the images of a compose works with. */
export interface AskContext {
  readonly database: TransactionContext;
  readonly koji: ImageKoji;
  readonly log: Log;
  readonly held: ImageTaskHolder;
  readonly signal: AbortSignal;
}

/** What making them works with. */
export interface MakeImagesContext extends AskContext {
  readonly now: () => Date;
  readonly progress: Progress;
  readonly delivery: PlaceImageContext['delivery'];
  /** What the metadata call the compose. */
  readonly composeId: string;
  /** Its public URL, without a final slash. */
  readonly toplevelUrl: string;
}

/** Notes what becomes of a task. Throws `compose.ended_elsewhere` where the attempt no longer holds the compose. */
export async function noteImageTask(
  { database, held }: AskContext,
  position: number,
  change: ImageTaskChange & { readonly from: readonly ImageTaskState[] },
): Promise<void> {
  const isNoted = await transaction(database, (tx) => moveImageTask(tx, held, position, change));
  if (isNoted) return;
  throw new ReactorError('compose.ended_elsewhere', 'The compose was ended while its images were made.');
}

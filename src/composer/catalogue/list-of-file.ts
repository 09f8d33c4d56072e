import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { messageOf, ReactorError } from '../../model/errors.ts';
import { moduleBeside } from '../../module-beside.ts';
import { unreadableImageFile, type PackageLists } from '../../rpm/image-packages.ts';

/** What the thread is given. */
export interface ListQuestion {
  readonly kind: 'lock' | 'sbom';
  /** Of a bill of materials; a lock file says its own. */
  readonly arch: string;
  readonly bytes: Uint8Array;
  readonly where: string;
}

/** What the thread says. */
export type ListAnswer =
  | { readonly lists: PackageLists }
  | { readonly code: string; readonly message: string; readonly hint: string };

/** What parsing a large file takes many times over. */
const LONGEST_MS = 60_000;
const MOST_MB = 512;

/**
 * Returns the packages that a lock file or bill of materials lists, read on a thread of its own: its parser does not
 * rest, and what others wrote may take all the time and memory there is. Throws `image.file_unreadable`, or the reason
 * of the signal.
 */
export async function listOfFile(question: ListQuestion, signal: AbortSignal): Promise<PackageLists> {
  const worker = new Worker(moduleBeside('list-of-file-worker', import.meta.url), {
    workerData: question,
    resourceLimits: { maxOldGenerationSizeMb: MOST_MB },
  });
  const inTime = AbortSignal.any([signal, AbortSignal.timeout(LONGEST_MS)]);
  try {
    const [answer] = (await once(worker, 'message', { signal: inTime })) as [ListAnswer];
    if ('lists' in answer) return answer.lists;
    const { code, message, hint } = answer;
    throw new ReactorError(code, message, { hint, where: question.where });
  } catch (thrown) {
    signal.throwIfAborted();
    if (thrown instanceof ReactorError) throw thrown;
    throw unreadableImageFile(
      question.where,
      inTime.aborted ? 'it takes too long' : messageOf(thrown),
      thrown,
    );
  } finally {
    await worker.terminate();
  }
}

import type { Config } from '../../config.ts';
import { findImage, noteImageLook, type ImageLook } from '../../database/images.ts';
import { transaction } from '../../database/transaction.ts';
import { errorFields, ReactorError } from '../../model/errors.ts';
import { repositoryPolicy } from '../../upstream/http/fetch-policy.ts';
import { parseHostList } from '../../upstream/http/host-list.ts';
import { HttpClient } from '../../upstream/http/http-client.ts';
import type { ComposerContext } from '../composer-context.ts';
import { readImageSource } from './read-image-source.ts';

export interface ReadingContext extends Pick<ComposerContext, 'database' | 'log'> {
  readonly config: Pick<Config, 'repo_hosts'>;
}

const CONCURRENCY = 2;
const TRIES = 2;

/**
 * Reads the lock files and bills of materials of images that are to be read, until the queue stops; disposing of it
 * closes the connections. What goes wrong is kept with the image.
 */
export async function startReadingImages(context: ReadingContext): Promise<Disposable> {
  const { database, log, config } = context;
  const client = new HttpClient({ policy: repositoryPolicy(parseHostList(config.repo_hosts)), tries: TRIES });
  await database.jobs.work('image.read', {
    concurrency: CONCURRENCY,
    onError: (name, data, error) => {
      log.warn({ job: name, image: data.name, ...errorFields(error) }, 'job ended with an error');
    },
    handleJob: ({ name }, { signal }) => readImage({ database, log, client }, name, signal),
  });
  return client;
}

/** Looks at the source of an image once and keeps what it holds, or why it could not be read. */
export async function readImage(
  { database, log, client }: Pick<ReadingContext, 'database' | 'log'> & { readonly client: HttpClient },
  name: string,
  signal: AbortSignal,
): Promise<void> {
  const image = await findImage(database.kysely, name);
  if (image === undefined || image.source === null) return;
  let look: ImageLook;
  try {
    look = await readImageSource(image.source, { client, known: image, signal });
  } catch (error) {
    if (signal.aborted || !(error instanceof ReactorError)) throw error;
    const { code, message, hint = null } = error;
    log.warn({ image: name, ...errorFields(error) }, 'what an image holds could not be read');
    look = { problem: { code, message, hint } };
  }
  const { source } = image;
  await transaction(database, (tx) => noteImageLook(tx, { name, source }, look));
}

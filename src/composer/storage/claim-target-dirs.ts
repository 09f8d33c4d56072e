import { mkdir, readdir } from 'node:fs/promises';
import { messageOf, ReactorError } from '../../model/errors.ts';
import type { DatabaseHandle } from '../../database/database-handle.ts';
import type { Log } from '../../log.ts';
import { readEntryName } from '../publish.ts';
import { readMarker, replaceMarker, writeMarker } from './storage-marker.ts';

export interface ClaimContext {
  readonly kysely: DatabaseHandle;
  readonly log: Log;
  /** The id of this service. */
  readonly service: string;
  /** Whether directories of another service, or of none, become those of this one. */
  readonly isTakingOver: boolean;
}

/**
 * Makes sure that every target directory (name to path) is that of this service: one that does not exist is made, an
 * empty one and one whose composes the database knows are marked. Meant for the start of the service, and the only
 * place that makes such a directory. Throws `storage.foreign`, `storage.composes_unknown`, `storage.not_mounted`,
 * `storage.unusable`.
 */
export async function claimTargetDirs(
  context: ClaimContext,
  targetDirs: Readonly<Record<string, string>>,
): Promise<void> {
  for (const [name, directory] of Object.entries(targetDirs)) {
    try {
      await claimTargetDir(context, name, directory);
    } catch (error) {
      if (error instanceof ReactorError) throw error;
      throw new ReactorError(
        'storage.unusable',
        `The target directory "${name}" cannot be used: ${messageOf(error)}`,
        { where: directory, hint: 'Look at mounts and rights.', fate: 'halt', cause: error },
      );
    }
  }
}

async function claimTargetDir(context: ClaimContext, name: string, directory: string): Promise<void> {
  const { service, log } = context;
  await mkdir(directory, { recursive: true });
  const owner = await readMarker(directory);
  if (owner === service) return;
  if (context.isTakingOver) {
    await replaceMarker(directory, service);
    log.warn({ directory, owner }, 'target directory taken over');
    return;
  }
  if (owner !== null) throw foreign(name, directory, owner);
  await checkUnmarked(context, name, directory);
  await writeMarker(directory, service);
  const winner = await readMarker(directory);
  if (winner !== service) throw foreign(name, directory, winner ?? 'nobody');
  log.info({ directory }, 'target directory marked');
}

/** A directory from before there were markers is ours where the database knows all composes in it. */
async function checkUnmarked({ kysely }: ClaimContext, name: string, directory: string): Promise<void> {
  const entries = await readdir(directory);
  const ids = new Set(entries.flatMap((entry) => readEntryName(entry)?.id ?? []));
  const stored = await kysely
    .selectFrom('composes')
    .select(['id', 'state'])
    .where('target_dir', '=', name)
    .where('reused_id', 'is', null)
    .execute();
  const known = new Set(stored.map(({ id }) => id));
  const unknown = [...ids].filter((id) => !known.has(id));
  if (unknown.length > 0) {
    throw new ReactorError(
      'storage.composes_unknown',
      `The target directory "${name}" holds composes that this service never made, such as odcs-${Math.min(...unknown)}.`,
      {
        where: directory,
        hint: `Look whether target_dir and database belong together. ${TAKE_OVER}`,
        fate: 'halt',
      },
    );
  }
  if (ids.size === 0 && stored.some(({ state }) => state === 'done')) {
    throw new ReactorError(
      'storage.not_mounted',
      `The target directory "${name}" is empty, but this service has composes in it.`,
      { where: directory, hint: `Look whether it is mounted. ${TAKE_OVER}`, fate: 'halt' },
    );
  }
}

const TAKE_OVER =
  'To use it all the same, start once with: serve --take-over (composes in it that the database does not know are removed).';

function foreign(name: string, directory: string, owner: string): ReactorError {
  return new ReactorError(
    'storage.foreign',
    `The target directory "${name}" belongs to another service, ${owner}.`,
    {
      where: directory,
      hint: `Look whether target_dir and database belong together. ${TAKE_OVER}`,
      fate: 'halt',
    },
  );
}

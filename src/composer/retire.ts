import { readdirSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { moveCompose, toCompose } from '../database/composes.ts';
import { pruneManifests } from '../database/manifests.ts';
import { transaction } from '../database/transaction.ts';
import type { Compose } from '../model/compose-json.ts';
import { messageOf } from '../model/errors.ts';
import type { ComposerContext } from './composer-context.ts';
import { unpublishCompose } from './publish.ts';

const HOUR = 3_600_000;

/**
 * Removes what has expired: the compose becomes `removed`, its directory goes once no living compose shows it.
 * Then directories nobody owns. One failing directory does not stop the rest. Source: ODCS contract 14.
 */
export async function retireComposes(context: ComposerContext): Promise<void> {
  const now = context.clock.now();
  const { handle, jobs } = context.database;
  const expired = await handle
    .selectFrom('composes')
    .selectAll()
    .where('state', 'in', ['done', 'failed'])
    .where('time_to_expire', '<', now)
    .orderBy('id')
    .execute();
  for (const compose of expired.map(toCompose)) {
    const why = compose.removedBy === null ? 'Compose is expired.' : `Removed by ${compose.removedBy}.`;
    await transaction(handle, (transactionHandle) =>
      moveCompose(
        { transaction: transactionHandle, jobs, now, targetDirUrl: context.targetDirUrl },
        compose.id,
        ['done', 'failed'],
        { to: 'removed', reason: [compose.stateReason, why].filter((part) => part !== null).join('\n') },
      ),
    );
    context.log.info({ compose: compose.id }, 'compose removed');
  }
  for (const [name, directory] of Object.entries(context.targetDirs)) {
    await sweepDirectory(context, name, directory, expired.map(toCompose));
  }
  await pruneManifests(handle, new Date(now.getTime() - HOUR));
}

/** Removes the directories of composes that neither live nor are shown by one that does. */
async function sweepDirectory(
  context: ComposerContext,
  targetDir: string,
  directory: string,
  expired: readonly Compose[],
): Promise<void> {
  const shown = await listShown(context);
  const known = new Set(expired.map((one) => one.id));
  for (const entry of listEntries(directory)) {
    const match = /^(?:\.?odcs-(\d+)(?:\.(building|old|removed))?|latest-odcs-(\d+)-1)$/.exec(entry);
    if (match === null) continue;
    const id = Number(match[1] ?? match[3]);
    const isBuilding = match[2] === 'building' && shown.running.has(id);
    if (isBuilding || (match[2] === undefined && shown.living.has(id))) continue;
    try {
      if (match[2] === undefined) await unpublishCompose(directory, id);
      else await rm(join(directory, entry), { recursive: true, force: true });
      if (!known.has(id)) context.log.info({ compose: id, targetDir }, 'directory without a compose removed');
    } catch (error) {
      context.log.warn(
        { compose: id, targetDir, error: messageOf(error) },
        'a directory could not be removed',
      );
    }
  }
}

function listEntries(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch {
    return [];
  }
}

/** Ids whose directory is in use, and ids that are being made. */
async function listShown(context: ComposerContext): Promise<{ living: Set<number>; running: Set<number> }> {
  const rows = await context.database.handle
    .selectFrom('composes')
    .select(['id', 'reused_id', 'state'])
    .where('state', 'in', ['wait', 'generating', 'done'])
    .execute();
  return {
    living: new Set(rows.map((row) => row.reused_id ?? row.id)),
    running: new Set(rows.filter((row) => row.state !== 'done').map((row) => row.id)),
  };
}

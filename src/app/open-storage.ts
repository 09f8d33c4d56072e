import type { Registry } from 'prom-client';
import { claimTargetDirs } from '../composer/storage/claim-target-dirs.ts';
import { registerStorageMetrics, storageHealth } from '../composer/storage/storage-health.ts';
import { StorageWatch } from '../composer/storage/storage-watch.ts';
import type { Config } from '../config.ts';
import type { Database } from '../database/database.ts';
import { findServiceId } from '../database/service-identity.ts';
import type { Log } from '../log.ts';
import type { RunningRole } from './roles/running-role.ts';

/** Makes the target directories those of this service and watches them. Throws what `claimTargetDirs` throws. */
export async function openStorage(
  config: Config,
  parts: {
    readonly database: Database;
    readonly log: Log;
    readonly metrics: Registry;
    readonly isTakingOver: boolean;
  },
): Promise<RunningRole & { readonly watch: StorageWatch }> {
  const { database, log, metrics, isTakingOver } = parts;
  const { kysely, clock } = database;
  const service = await findServiceId(kysely, clock.now());
  const targetDirs = { default: config.target_dir, ...config.extra_target_dirs };
  await claimTargetDirs({ kysely, log, service, isTakingOver }, targetDirs);
  const watch = new StorageWatch({ targetDirs, service, log });
  registerStorageMetrics(metrics, watch);
  return {
    watch,
    health: () => [storageHealth(watch)],
    stop: () => watch[Symbol.asyncDispose](),
  };
}

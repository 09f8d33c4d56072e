import { Gauge, type Registry } from 'prom-client';
import { storageTrouble, type StorageState } from './storage-state.ts';
import type { StorageWatch } from './storage-watch.ts';

/** How the target directories are, as one part of the health of a process. */
export function storageHealth(storage: Pick<StorageWatch, 'states'>): {
  readonly name: string;
  readonly isWell: boolean;
  readonly detail: string;
} {
  const troubles = [...storage.states].flatMap(([name, state]) => storageTrouble(name, state) ?? []);
  const detail =
    troubles.length === 0
      ? `${storage.states.size} target directories can be written.`
      : `${troubles.join(' ')} Composes wait.`;
  return { name: 'storage', isWell: troubles.length === 0, detail };
}

const gauges: readonly {
  readonly name: string;
  readonly help: string;
  /** Null where it is not known. */
  readonly valueOf: (state: StorageState) => number | null;
}[] = [
  {
    name: 'odcs_storage_free_bytes',
    help: 'Bytes free in a target directory.',
    valueOf: (state) => ('bytesFree' in state ? state.bytesFree : null),
  },
  {
    name: 'odcs_storage_free_inodes',
    help: 'Inodes free in a target directory.',
    valueOf: (state) => ('inodesFree' in state ? state.inodesFree : null),
  },
  {
    name: 'odcs_storage_writable',
    help: 'Whether composes can be written into a target directory.',
    valueOf: ({ kind }) => Number(kind === 'well'),
  },
];

/** Registers what is free in each target directory, and whether it can be written. */
export function registerStorageMetrics(registry: Registry, storage: Pick<StorageWatch, 'states'>): void {
  for (const { name, help, valueOf } of gauges) {
    const gauge = new Gauge({
      name,
      help,
      labelNames: ['target_dir'],
      registers: [],
      collect() {
        this.reset();
        for (const [target_dir, state] of storage.states) {
          const value = valueOf(state);
          if (value !== null) this.set({ target_dir }, value);
        }
      },
    });
    registry.registerMetric(gauge);
  }
}

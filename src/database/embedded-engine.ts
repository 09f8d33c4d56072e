import { fork } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { setFlagsFromString } from 'node:v8';
import type { PGlite, PGliteOptions } from '@electric-sql/pglite';
import { ReactorError } from '../model/errors.ts';
import { moduleBeside } from '../module-beside.ts';
import { keepYoungSmall } from '../young-memory.ts';

/** Pages that are kept in memory; the engine's own choice is 128 MB, of which it takes half at once. */
const SHARED_BUFFERS = '32MB';

/**
 * Opens the engine of the embedded database on a directory. What it runs is compiled once and quickly, and not again with
 * the optimizing compiler: that takes twice the memory, and more CPU than a small service gets back
 * (docs/decisions/0022). What is young in this process gets no more room (docs/decisions/0023).
 */
export async function openEmbeddedEngine(options: PGliteOptions): Promise<PGlite> {
  setFlagsFromString('--no-wasm-dynamic-tiering');
  setFlagsFromString('--no-wasm-tier-up');
  keepYoungSmall();
  // Whoever has PostgreSQL need not have this in memory.
  const { PGlite: Engine } = await import('@electric-sql/pglite');
  const engine = new Engine(options);
  await engine.waitReady;
  return engine;
}

/**
 * Makes an empty embedded database where there is none, in a process of its own: it takes half a gigabyte that a service
 * would keep until its end. The directory appears only when it is whole. Throws `database.not_made`.
 */
export async function makeEmbeddedDatabase(directory: string): Promise<void> {
  if (existsSync(join(directory, 'PG_VERSION'))) {
    await limitBuffers(directory);
    return;
  }
  const unfinished = `${directory}.new`;
  await rm(unfinished, { recursive: true, force: true });
  const child = fork(fileURLToPath(moduleBeside('embedded-engine-process', import.meta.url)), [unfinished], {
    // Whatever this process was told to run, the other one runs its own module.
    execArgv: [],
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  });
  let complaint = '';
  child.stderr?.on('data', (chunk: Buffer) => (complaint += chunk.toString()));
  const [code, signal] = await once(child, 'close');
  if (code !== 0) {
    await rm(unfinished, { recursive: true, force: true });
    throw new ReactorError(
      'database.not_made',
      `The embedded database could not be made: ${complaint === '' ? `its process ended with ${String(signal ?? code)}` : complaint}.`,
      {
        hint: 'Look at the free space and the permissions of ODCS_DATA_DIR, or set ODCS_DATABASE_URL to use PostgreSQL.',
        fate: 'halt',
      },
    );
  }
  await limitBuffers(unfinished);
  await rm(directory, { recursive: true, force: true });
  await rename(unfinished, directory);
}

/** Lets the engine keep fewer pages in memory; a database that was made before is brought to it too. */
async function limitBuffers(directory: string): Promise<void> {
  const file = join(directory, 'postgresql.conf');
  const text = await readFile(file, 'utf8');
  const limited = text.replace(/^shared_buffers = \S+/m, `shared_buffers = ${SHARED_BUFFERS}`);
  if (limited !== text) await writeFile(file, limited);
}

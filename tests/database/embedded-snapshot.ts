import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { openDatabase } from '../../src/database/database.ts';

const root = resolve(import.meta.dirname, '../..');
const cache = join(root, '.cache');

/**
 * A data directory for a service of its own, with the embedded database in it already: making that takes longer
 * than most tests do.
 */
export async function makeDataDirectory(path: string): Promise<string> {
  const directory = join(path, 'database');
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  execFileSync('tar', ['-xf', await snapshotFile(), '-C', directory], {
    stdio: ['ignore', 'ignore', 'ignore'],
  });
  return path;
}

/** An embedded database with all migrations, made once and kept until a migration changes. */
export async function snapshotFile(): Promise<string> {
  const hash = createHash('sha256');
  for (const folder of ['migrations', 'src/database']) {
    for (const name of readdirSync(join(root, folder)).sort()) {
      // A migration that is called otherwise is another one.
      hash.update(`${name}\n`).update(readFileSync(join(root, folder, name)));
    }
  }
  const file = join(cache, `database-${hash.digest('hex').slice(0, 16)}.tar`);
  if (!existsSync(file)) {
    mkdirSync(cache, { recursive: true });
    const dataDir = mkdtempSync(join(tmpdir(), 'odcs-snapshot-'));
    const database = await openDatabase({ url: '', dataDir });
    const dump = await database.embedded?.dumpDataDir('none');
    await database.close();
    rmSync(dataDir, { recursive: true, force: true });
    if (dump === undefined) throw new Error('The embedded database gave no dump.');
    const temporary = `${file}.${process.pid}`;
    writeFileSync(temporary, Buffer.from(await dump.arrayBuffer()));
    renameSync(temporary, file);
  }
  return file;
}

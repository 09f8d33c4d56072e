import { join } from 'node:path';
import { makeSbom } from './cyclonedx.ts';
import { readLockFile } from './lock-file.ts';

const lock = readLockFile(join(import.meta.dirname, '..', 'package-lock.json'));
process.stdout.write(`${JSON.stringify(makeSbom(lock), null, 2)}\n`);

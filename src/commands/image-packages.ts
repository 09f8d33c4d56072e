import { readFileSync } from 'node:fs';
import { messageOf } from '../model/errors.ts';
import {
  packagesOfBill,
  packagesOfLock,
  unreadableImageFile,
  type PackageLists,
} from '../rpm/image-packages.ts';

/** Reads what a lock file `rpms.lock.yaml` has for each arch. Throws `image.file_unreadable`. */
export function readLockedPackages(file: string): PackageLists {
  return packagesOfLock(textOf(file), file);
}

/** Reads the RPMs of a bill of materials, CycloneDX or SPDX as JSON. Throws `image.file_unreadable`. */
export function readBilledPackages(file: string): readonly string[] {
  return packagesOfBill(textOf(file), file);
}

/** Reads the output of `rpm -qa`. Throws `image.file_unreadable`. */
export function readInstalledPackages(file: string): readonly string[] {
  return textOf(file)
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');
}

function textOf(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (cause) {
    throw unreadableImageFile(file, messageOf(cause), cause);
  }
}

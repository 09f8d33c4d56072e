import { hash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import type { StoredBuild, StoredRpm } from './hub-rows.ts';
import { signRpm } from './made-up-rpm.ts';

/** The files of a hub. Where they lie: Koji contract 5. */
export class TopDirectory {
  readonly #root: string;

  constructor(root: string) {
    this.#root = root;
  }

  #buildDirectory(build: StoredBuild, volume = build.volume): string {
    const top = volume === 'DEFAULT' ? this.#root : join(this.#root, 'vol', volume);
    return join(top, 'packages', build.packageName, build.version, build.release);
  }

  /** The file of an RPM: the primary copy, or the one signed with a key. */
  pathOf(build: StoredBuild, rpm: StoredRpm, sigkey: string | null): string {
    const file = `${rpm.name}-${rpm.version}-${rpm.release}.${rpm.arch}.rpm`;
    const signed = sigkey === null ? [] : ['data', 'signed', sigkey];
    return join(this.#buildDirectory(build), ...signed, rpm.arch, file);
  }

  /** Writes the primary copy. */
  write(build: StoredBuild, rpm: StoredRpm, bytes: Buffer): void {
    writeBelow(this.pathOf(build, rpm, null), bytes);
  }

  /** Writes the copy of an RPM that is signed with a key beside the primary one. */
  writeSigned(build: StoredBuild, rpm: StoredRpm, sigkey: string): void {
    writeBelow(this.pathOf(build, rpm, sigkey), signRpm(readFileSync(this.pathOf(build, rpm, null)), sigkey));
  }

  removeSigned(build: StoredBuild, rpm: StoredRpm, sigkey: string): void {
    rmSync(this.pathOf(build, rpm, sigkey));
  }

  removeBuild(build: StoredBuild): void {
    rmSync(this.#buildDirectory(build), { recursive: true, force: true });
    rmSync(this.#buildDirectory(build, 'DEFAULT'), { force: true });
  }

  /** Moves a build's files to another volume and leaves a symbolic link at its place on the default one. */
  moveBuild(build: StoredBuild, volume: string): void {
    const from = this.#buildDirectory(build);
    const to = this.#buildDirectory(build, volume);
    const standard = this.#buildDirectory(build, 'DEFAULT');
    if (from !== standard) rmSync(standard, { force: true });
    mkdirSync(dirname(to), { recursive: true });
    renameSync(from, to);
    if (to !== standard) symlinkSync(relative(dirname(standard), to), standard);
  }

  /** The digests of the primary copy (`''`) and of each signed copy that is there. */
  checksums(
    build: StoredBuild,
    rpm: StoredRpm,
    sigkeys: readonly string[],
  ): Readonly<Record<string, { readonly sha256: string; readonly md5: string }>> {
    const copies = ['', ...sigkeys.filter((key) => key !== '')].flatMap((sigkey) => {
      const path = this.pathOf(build, rpm, sigkey === '' ? null : sigkey);
      return existsSync(path) ? [[sigkey, readFileSync(path)] as const] : [];
    });
    return Object.fromEntries(
      copies.map(([sigkey, bytes]) => [sigkey, { sha256: hash('sha256', bytes), md5: hash('md5', bytes) }]),
    );
  }
}

function writeBelow(path: string, bytes: Buffer): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, bytes);
}

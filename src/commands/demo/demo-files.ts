import { copyFileSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { createrepo } from '../../rpm/createrepo/createrepo.ts';

const shipped = resolve(import.meta.dirname, '../../../examples/demo');

/** The repository the demo plays with: real, small RPMs that have the names of well-known ones. */
export interface DemoRepository {
  readonly directory: string;
  /** Adds the RPMs of `base` or `update` and writes the metadata anew; returns the file names added. */
  add(set: 'base' | 'update', now: Date): Promise<readonly string[]>;
}

/** Prepares an empty repository in a directory. */
export function createDemoRepository(directory: string): DemoRepository {
  mkdirSync(join(directory, 'Packages'), { recursive: true });
  return {
    directory,
    async add(set, now) {
      const names = readdirSync(join(shipped, set)).filter((name) => name.endsWith('.rpm'));
      for (const name of names) copyFileSync(join(shipped, set, name), join(directory, 'Packages', name));
      await createrepo({ now }, { directory, workers: 0 });
      return names.toSorted();
    },
  };
}

/** Writes the demo's one rule: when the repository changes, compose what the images need. */
export function writeDemoRule(directory: string, repository: string, packages: readonly string[]): string {
  mkdirSync(directory, { recursive: true });
  const file = join(directory, 'image-packages.yaml');
  writeFileSync(
    file,
    `version: 1
name: image-packages
owner: demo
description: Whenever the repository changes, compose what the container images need.

on:
  - event: repo.changed
    match: { repo: ${JSON.stringify(repository)} }

settle: 1s
max_wait: 5s
priority: security

series: image-packages
compose:
  source: { type: repo, source: "\${event.repo}", packages: ${JSON.stringify(packages)} }
`,
  );
  return file;
}

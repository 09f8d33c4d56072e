import { spawnSync } from 'node:child_process';
import { mkdirSync, symlinkSync, unlinkSync } from 'node:fs';
import { join } from 'node:path';
import type { Attack } from '../attack.ts';
import { repositoryFiles, writeFiles } from '../repository-files.ts';

/** A local repository of which one file is something else; returns its directory. */
function makeRepository(directory: string, name: string, replace: (root: string) => void): string {
  const root = join(directory, name);
  mkdirSync(root, { recursive: true });
  writeFiles(root, repositoryFiles([{}]));
  replace(root);
  return root;
}

function putPipe(path: string): void {
  unlinkSync(path);
  if (spawnSync('mkfifo', [path]).status !== 0) throw new Error(`mkfifo ${path} failed`);
}

/** Things that are not regular files in directories that the service reads. */
export const blockingFiles: Attack = {
  name: 'blocking-files',
  faults: ['A2'],
  does: 'Names directories whose repomd.xml, primary.xml or packages are pipes, devices or links out.',
  async run(context) {
    const { directory, secretFile } = context;
    const kinds: Record<string, (root: string) => void> = {
      'pipe-repomd': (root) => putPipe(join(root, 'repodata/repomd.xml')),
      'pipe-primary': (root) => putPipe(join(root, 'repodata/primary.xml.gz')),
      'pipe-package': (root) => putPipe(join(root, 'bait-1.0-1.noarch.rpm')),
      'link-repomd': (root) => {
        unlinkSync(join(root, 'repodata/repomd.xml'));
        symlinkSync(secretFile, join(root, 'repodata/repomd.xml'));
      },
      'link-package': (root) => {
        unlinkSync(join(root, 'bait-1.0-1.noarch.rpm'));
        symlinkSync(secretFile, join(root, 'bait-1.0-1.noarch.rpm'));
      },
      'device-repomd': (root) => {
        unlinkSync(join(root, 'repodata/repomd.xml'));
        symlinkSync('/dev/zero', join(root, 'repodata/repomd.xml'));
      },
      'directory-package': (root) => {
        unlinkSync(join(root, 'bait-1.0-1.noarch.rpm'));
        mkdirSync(join(root, 'bait-1.0-1.noarch.rpm'));
      },
    };
    for (const [name, replace] of Object.entries(kinds)) {
      if (context.signal.aborted) return;
      const source = makeRepository(directory, name, replace);
      const packages = ['bait'];
      const ended = await context.compose(
        { source: { type: 'repo', source, packages } },
        context.isShort ? 12 : 30,
      );
      if (ended?.state === 'done') context.report('escaped', `${name}: compose ${ended.id} is done`);
    }
  },
};

import { spawnSync } from 'node:child_process';
import { mkdirSync, symlinkSync, unlinkSync } from 'node:fs';
import { join } from 'node:path';
import type { Attack } from '../attack.ts';
import { repositoryFiles, writeFiles } from '../repository-files.ts';

/**
 * A local repository of which one file is something else; returns its directory. Its package is called like it, lest a
 * compose of the same content that was made before is shown for it.
 */
function makeRepository(
  directory: string,
  name: string,
  replace: (root: string, file: string) => void,
): string {
  const root = join(directory, name);
  mkdirSync(root, { recursive: true });
  writeFiles(root, repositoryFiles([{ name }]));
  replace(root, join(root, `${name}-1.0-1.noarch.rpm`));
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
    const kinds: Record<string, (root: string, file: string) => void> = {
      'pipe-repomd': (root) => putPipe(join(root, 'repodata/repomd.xml')),
      'pipe-primary': (root) => putPipe(join(root, 'repodata/primary.xml.gz')),
      'pipe-package': (_, file) => putPipe(file),
      'link-repomd': (root) => {
        unlinkSync(join(root, 'repodata/repomd.xml'));
        symlinkSync(secretFile, join(root, 'repodata/repomd.xml'));
      },
      'link-package': (_, file) => {
        unlinkSync(file);
        symlinkSync(secretFile, file);
      },
      'device-repomd': (root) => {
        unlinkSync(join(root, 'repodata/repomd.xml'));
        symlinkSync('/dev/zero', join(root, 'repodata/repomd.xml'));
      },
      'directory-package': (_, file) => {
        unlinkSync(file);
        mkdirSync(file);
      },
    };
    for (const [name, replace] of Object.entries(kinds)) {
      if (context.signal.aborted) return;
      const source = makeRepository(directory, name, replace);
      const ended = await context.compose(
        { source: { type: 'repo', source, packages: [name] } },
        context.isShort ? 12 : 30,
      );
      if (ended?.state === 'done') context.report('escaped', `${name}: compose ${ended.id} is done`);
    }
  },
};

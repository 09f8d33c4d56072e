import { spawn } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

export interface DnfEnd {
  readonly status: number | null;
  readonly output: string;
}

/** A host that dnf works on, below a directory: it keeps what it has installed, its caches and its keys. */
export interface DnfHost {
  readonly root: string;
  /** Writes its one `.repo` file. */
  readonly useRepoFile: (content: string) => void;
  /** Runs dnf; returns its status and what it said. */
  readonly run: (args: readonly string[]) => Promise<DnfEnd>;
}

/** Makes a host that has nothing yet. */
export function makeDnfHost(root: string, { releasever = '42' } = {}): DnfHost {
  const repos = join(root, 'repos');
  mkdirSync(repos, { recursive: true });
  const fixed = [
    `--installroot=${root}`,
    `--releasever=${releasever}`,
    '--forcearch=x86_64',
    `--setopt=module_platform_id=platform:f${releasever}`,
    '--setopt=install_weak_deps=0',
    '--setopt=metadata_expire=0',
    `--setopt=cachedir=${root}/cache`,
    `--setopt=logdir=${root}`,
    `--setopt=reposdir=${repos}`,
    '--disableplugin=*',
    '-y',
  ];
  return {
    root,
    useRepoFile: (content) => writeFileSync(join(repos, 'odcs.repo'), content),
    run: (args) =>
      new Promise((resolve, reject) => {
        const child = spawn('dnf', [...fixed, ...args], { env: { ...process.env, LC_ALL: 'C' } });
        let output = '';
        for (const stream of [child.stdout, child.stderr])
          stream.on('data', (piece: Buffer) => (output += piece.toString()));
        child.on('error', reject);
        child.on('close', (status) => resolve({ status, output }));
      }),
  };
}

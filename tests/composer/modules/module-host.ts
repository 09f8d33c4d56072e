import { spawn, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';

export interface Run {
  readonly status: number | null;
  readonly output: string;
}

export interface ModuleHost {
  dnf(...args: string[]): Promise<Run>;
  /** Name and modularity label of every installed package. */
  installed(): string[];
}

/** A host of platform f42 in a directory of its own, whose only repository is at the URL. */
export function makeHost(context: TestContext, url: string): ModuleHost {
  const root = mkdtempSync(join(tmpdir(), 'module-host-'));
  context.after(() => rmSync(root, { recursive: true, force: true }));
  for (const path of ['etc/dnf/modules.d', 'etc/dnf/modules.defaults.d', 'etc/yum.repos.d', 'var/lib/rpm']) {
    mkdirSync(join(root, path), { recursive: true });
  }
  const config = join(root, 'etc/dnf/dnf.conf');
  writeFileSync(
    config,
    `[main]\ngpgcheck=0\nbest=1\nskip_if_unavailable=0\nreposdir=${root}/etc/yum.repos.d\n`,
  );
  const set = (key: string, value: string): string => `--setopt=${key}=${value}`;
  const fixed = [
    `--installroot=${root}`,
    `--config=${config}`,
    '--releasever=42',
    '--forcearch=x86_64',
    set('module_platform_id', 'platform:f42'),
    set('cachedir', join(root, 'cache')),
    set('logdir', root),
    set('reposdir', join(root, 'etc/yum.repos.d')),
    '--nogpgcheck',
    '--disableplugin=*',
    `--repofrompath=odcs,${url}`,
    '-y',
  ];
  return {
    dnf: (...args: string[]): Promise<Run> =>
      new Promise((resolve, reject) => {
        const child = spawn('dnf', [...fixed, ...args], { env: { ...process.env, LC_ALL: 'C' } });
        let output = '';
        child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString('utf8')));
        child.stderr.on('data', (chunk: Buffer) => (output += chunk.toString('utf8')));
        child.on('error', reject);
        child.on('close', (status) => resolve({ status, output }));
      }),
    installed: (): string[] =>
      spawnSync('rpm', ['--root', root, '-qa', '--qf', '%{NAME} %{MODULARITYLABEL}\n'], { encoding: 'utf8' })
        .stdout.split('\n')
        .filter(Boolean)
        .sort(),
  };
}

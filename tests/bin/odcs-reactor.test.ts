import assert from 'node:assert/strict';
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join, resolve } from 'node:path';
import { after, describe, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';

const root = resolve(import.meta.dirname, '../..');
const folder = mkdtempSync(join(tmpdir(), 'odcs-bin-'));
const pids = new Set<number>();
after(() => {
  for (const pid of pids) if (isRunning(pid)) process.kill(pid, 'SIGKILL');
  rmSync(folder, { recursive: true, force: true });
});
const command = join(folder, 'bin/odcs-reactor.mjs');

/** A service that says who it is, and ends with status 7 once it has written down the signal that ended it. */
const service = `
import { writeFileSync } from 'node:fs';
for (const name of ['SIGTERM', 'SIGINT', 'SIGHUP']) {
  process.once(name, () => {
    writeFileSync(process.argv[2], name);
    process.exit(7);
  });
}
process.stdout.write(\`\${process.pid} \${process.versions.node}\\n\`);
setInterval(() => undefined, 1000);
`;
mkdirSync(join(folder, 'bin'));
mkdirSync(join(folder, 'src'));
copyFileSync(join(root, 'bin/odcs-reactor.mjs'), command);
writeFileSync(join(folder, 'src/main.ts'), service);
symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'));

function versionOf(node: string): string {
  return spawnSync(node, ['--version'], { encoding: 'utf8' }).stdout.trim();
}

/** Every Node of the PATH, each version once. */
const nodes = new Map(
  [
    process.execPath,
    ...(process.env['PATH'] ?? '')
      .split(delimiter)
      .map((place) => join(place, 'node'))
      .filter((file) => existsSync(file)),
  ].map((node) => [versionOf(node), node]),
);

interface Started {
  readonly wrapper: ChildProcess;
  readonly servicePid: number;
  readonly serviceVersion: string;
  readonly note: string;
}

let count = 0;

async function start(node: string): Promise<Started> {
  count += 1;
  const note = join(folder, `signal-${count}`);
  const wrapper = spawn(node, [command, note], { stdio: ['ignore', 'pipe', 'inherit'] });
  assert.ok(wrapper.stdout);
  const [chunk]: unknown[] = await once(wrapper.stdout, 'data');
  const [pid, serviceVersion = ''] = String(chunk).trim().split(' ');
  pids.add(Number(pid));
  return { wrapper, servicePid: Number(pid), serviceVersion, note };
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

async function waitUntilGone(pid: number): Promise<boolean> {
  for (let look = 0; look < 600 && isRunning(pid); look += 1) await pause(50);
  return !isRunning(pid);
}

for (const [version, node] of nodes) {
  describe(`started by Node ${version}`, () => {
    for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) {
      test(`${signal} ends the service in order, and its status is passed on`, async () => {
        const { wrapper, servicePid, serviceVersion, note } = await start(node);
        assert.match(serviceVersion, /^(?:2[4-9]|[3-9]\d)\./);
        wrapper.kill(signal);
        const [status]: unknown[] = await once(wrapper, 'exit');
        assert.deepEqual([status, existsSync(note), await waitUntilGone(servicePid)], [7, true, true]);
      });
    }

    test(
      'nothing is left of a service whose starter is killed',
      { skip: existsSync('/usr/bin/setpriv') ? false : 'setpriv is not installed' },
      async () => {
        const { wrapper, servicePid } = await start(node);
        wrapper.kill('SIGKILL');
        assert.ok(await waitUntilGone(servicePid));
      },
    );
  });
}

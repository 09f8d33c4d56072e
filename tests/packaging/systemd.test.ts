import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { after, test } from 'node:test';
import { z } from 'zod';
import { loadConfig } from '../../src/config.ts';
import { ensurePackages } from '../services/debian-packages.ts';

const root = resolve(import.meta.dirname, '../..');
const packaging = join(root, 'packaging');
const needed = ensurePackages(['systemd']);
const skip = needed.ready ? false : needed.reason;
const image = mkdtempSync(join(tmpdir(), 'odcs-unit-'));
after(() => rmSync(image, { recursive: true, force: true }));
const unit = readFileSync(join(packaging, 'systemd/odcs-reactor@.service'), 'utf8');

const units = join(image, 'usr/lib/systemd/system');
mkdirSync(join(image, 'usr/bin'), { recursive: true });
writeFileSync(join(image, 'usr/bin/odcs-reactor'), '', { mode: 0o755 });
if (needed.ready) cpSync('/usr/lib/systemd/system', units, { recursive: true, verbatimSymlinks: true });

/** Has systemd look at a unit in a root that has the units of this machine and the program; returns what it says. */
function verify(text: string): { readonly status: number | null; readonly said: string } {
  writeFileSync(join(units, 'odcs-reactor@.service'), text);
  const { status, stderr } = spawnSync(
    'systemd-analyze',
    ['verify', '--man=no', `--root=${image}`, 'odcs-reactor@api.service'],
    { encoding: 'utf8' },
  );
  return { status, said: stderr };
}

test('systemd has nothing to say against the unit, and would have against a wrong one', { skip }, () => {
  assert.deepEqual(verify(unit), { status: 0, said: '' });
  assert.match(verify(unit.replace('Type=notify', 'Type=notice')).said, /Failed to parse service type/);
});

test('the unit is told what the program tells: by notices, from its children, with a watchdog', () => {
  for (const line of ['Type=notify', 'NotifyAccess=all', 'WatchdogSec=5min', 'RestartPreventExitStatus=2 4'])
    assert.ok(unit.split('\n').includes(line), line);
});

test('the user of the unit is made', { skip }, () => {
  const { status, stdout, stderr } = spawnSync(
    'systemd-sysusers',
    ['--dry-run', `--root=${image}`, join(packaging, 'systemd/odcs-reactor.sysusers')],
    { encoding: 'utf8' },
  );
  assert.equal(status, 0, stderr);
  assert.match(stdout + stderr, /Creating user 'odcs-reactor'/);
  assert.match(unit, /^User=odcs-reactor$/m);
});

test('the settings of the package can be read, with those of each instance, and all roles are there', () => {
  const file = join(packaging, 'systemd/config.yaml');
  const roles = ['api', 'listener', 'rules', 'composer'].flatMap((name) => {
    const lines = readFileSync(join(packaging, `systemd/${name}.env`), 'utf8')
      .trim()
      .split('\n');
    const environment = Object.fromEntries(lines.map((line) => line.split('=')));
    return loadConfig({ file, environment, overrides: {} }).config.roles;
  });
  const all = loadConfig({ file, environment: {}, overrides: {} }).config.roles;
  assert.deepEqual(roles.toSorted(), all.toSorted());
});

test('the RPM has the version of the program', () => {
  const spec = readFileSync(join(packaging, 'rpm/odcs-reactor.spec'), 'utf8');
  const { version } = z
    .object({ version: z.string() })
    .parse(JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')));
  assert.match(spec, new RegExp(`^Version: +${version.replaceAll('.', '\\.')}$`, 'm'));
});

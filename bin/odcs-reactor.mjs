#!/usr/bin/env node
// Starts src/main.ts on the Node 24 that is a dependency of this package, whatever Node runs this file.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const main = fileURLToPath(new URL('../src/main.ts', import.meta.url));
const own = fileURLToPath(new URL('../node_modules/.bin/node', import.meta.url));
const isRecent = Number(process.versions.node.split('.')[0]) >= 24;

if (isRecent) {
  await import(main);
} else if (existsSync(own)) {
  const { status, signal } = spawnSync(own, [main, ...process.argv.slice(2)], { stdio: 'inherit' });
  process.exitCode = signal ? 1 : (status ?? 1);
} else {
  process.stderr.write('odcs-reactor needs Node 24: run `npm ci` in its directory, which installs it.\n');
  process.exitCode = 1;
}

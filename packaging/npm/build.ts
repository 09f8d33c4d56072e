import { spawnSync } from 'node:child_process';
import { cpSync, globSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { z } from 'zod';
import type { Command } from '../../src/commands/command.ts';
import { command as completion } from '../../src/commands/completion.ts';
import { command as man } from '../../src/commands/man.ts';

/**
 * Makes `dist`, which is what the package has instead of the sources: the same tree as JavaScript, with what it reads
 * beside it. `npm pack` runs it.
 */
const root = resolve(import.meta.dirname, '../..');
const dist = resolve(root, 'dist');
const manifestSchema = z.object({ name: z.string(), version: z.string(), type: z.literal('module') });

function compile(): void {
  const line = ['node_modules/typescript/bin/tsc', '-p', 'packaging/npm/tsconfig.json'];
  const { status } = spawnSync(process.execPath, line, {
    cwd: root,
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  if (status !== 0) throw new Error(`${line.join(' ')} ended with ${status}`);
}

/** Returns what a command of the program prints. */
async function runCommand(command: Command, argv: readonly string[]): Promise<string> {
  let printed = '';
  const status = await command.run({
    argv,
    stdout: (text) => (printed += text),
    stderr: (text) => process.stderr.write(text),
    environment: {},
    isTerminal: false,
    signal: new AbortController().signal,
  });
  if (status !== 0) throw new Error(`${argv.join(' ')} ended with ${status}`);
  return printed;
}

rmSync(dist, { recursive: true, force: true });
compile();
for (const script of globSync('src/**/*.mjs', { cwd: root })) {
  cpSync(resolve(root, script), resolve(dist, script));
}
for (const set of ['base', 'update']) {
  cpSync(resolve(root, 'examples/demo', set), resolve(dist, 'examples/demo', set), { recursive: true });
}
const manifest = manifestSchema.parse(JSON.parse(readFileSync(resolve(root, 'package.json'), 'utf8')));
writeFileSync(resolve(dist, 'package.json'), `${JSON.stringify(manifest)}\n`);

// In this process: each start of the program would load every command of it anew.
await runCommand(man, ['--directory', resolve(dist, 'man')]);
mkdirSync(resolve(dist, 'completion'));
for (const [shell, file] of Object.entries({
  bash: 'odcs-reactor',
  zsh: '_odcs-reactor',
  fish: 'odcs-reactor.fish',
})) {
  writeFileSync(resolve(dist, 'completion', file), await runCommand(completion, [shell]));
}

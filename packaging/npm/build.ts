import { spawnSync } from 'node:child_process';
import { cpSync, globSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { z } from 'zod';

/**
 * Makes `dist`, which is what the package has instead of the sources: the same tree as JavaScript, with what it reads
 * beside it. `npm pack` runs it.
 */
const root = resolve(import.meta.dirname, '../..');
const dist = resolve(root, 'dist');
const manifestSchema = z.object({ name: z.string(), version: z.string(), type: z.literal('module') });

function run(...line: readonly string[]): string {
  const { status, stdout } = spawnSync(process.execPath, line, {
    cwd: root,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  if (status === 0) return stdout;
  process.stderr.write(stdout);
  throw new Error(`${line.join(' ')} ended with ${status}`);
}

rmSync(dist, { recursive: true, force: true });
run('node_modules/typescript/bin/tsc', '-p', 'packaging/npm/tsconfig.json');
for (const script of globSync('src/**/*.mjs', { cwd: root })) {
  cpSync(resolve(root, script), resolve(dist, script));
}
for (const set of ['base', 'update']) {
  cpSync(resolve(root, 'examples/demo', set), resolve(dist, 'examples/demo', set), { recursive: true });
}
const manifest = manifestSchema.parse(JSON.parse(readFileSync(resolve(root, 'package.json'), 'utf8')));
writeFileSync(resolve(dist, 'package.json'), `${JSON.stringify(manifest)}\n`);

const program = resolve(dist, 'src/main.js');
run(program, 'man', '--directory', resolve(dist, 'man'));
mkdirSync(resolve(dist, 'completion'));
for (const [shell, file] of Object.entries({
  bash: 'odcs-reactor',
  zsh: '_odcs-reactor',
  fish: 'odcs-reactor.fish',
})) {
  writeFileSync(resolve(dist, 'completion', file), run(program, 'completion', shell));
}

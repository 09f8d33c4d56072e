import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { command } from '../../../../src/commands/definition.ts';
import { filesOf, type MainVector } from '../../main/recorded-vectors.ts';

/**
 * Imports a recorded configuration into a directory of definitions, under the name of its record, with the files that it
 * names. The configuration itself is written below `folder`.
 */
export async function importRecorded(
  vector: MainVector,
  { folder, definitions }: { readonly folder: string; readonly definitions: string },
): Promise<void> {
  const directory = join(folder, 'configs', vector.name);
  for (const path of Object.keys(vector.files)) {
    const place = join(directory, path);
    mkdirSync(dirname(place), { recursive: true });
    const text = Buffer.from(filesOf(vector).read(path) ?? '').toString();
    writeFileSync(place, text.replaceAll('@RUN@/', ''));
  }
  const code = await command.run({
    argv: ['import', join(directory, 'fixture.conf'), '--name', vector.name, '--to', definitions],
    stdout: () => undefined,
    stderr: () => undefined,
    environment: {},
    isTerminal: false,
    signal: new AbortController().signal,
  });
  assert.equal(code, 0);
}

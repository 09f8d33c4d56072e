import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { generatedRuleFiles } from '../rules/rule-documents.ts';

/** Writes the files that are generated from tables in the source: run it after changing one of those. */
const root = resolve(import.meta.dirname, '../..');
for (const [path, content] of Object.entries(generatedRuleFiles())) {
  const file = resolve(root, path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, content);
}

import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { definitionJsonSchema } from '../composer/main/definition-file-schema.ts';
import { generatedRuleFiles } from '../rules/rule-documents.ts';

/** Writes the files that are generated from tables in the source: run it after changing one of those. */
const root = resolve(import.meta.dirname, '../..');
const definitionSchema = `${JSON.stringify(definitionJsonSchema(), null, 1)}\n`;
const files = { ...generatedRuleFiles(), 'schema/compose.v1.schema.json': definitionSchema };
for (const [path, content] of Object.entries(files)) {
  const file = resolve(root, path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, content);
}

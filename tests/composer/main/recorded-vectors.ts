import { readFileSync } from 'node:fs';
import { z } from 'zod';
import type { ConfigFiles } from '../../../src/composer/main/load-config.ts';
import { sharedPath } from '../../shared.ts';

const resultSchema = z.object({
  exit: z.number(),
  status: z.string().nullish(),
  compose_id_file: z.string().nullish(),
  target: z.array(z.string()).optional(),
  errors: z.array(z.string()).default([]),
  warnings: z.array(z.string()).default([]),
  output: z.union([z.string(), z.array(z.string())]).optional(),
  metadata: z.record(z.string(), z.unknown()).default({}),
  rpms: z.record(z.string(), z.array(z.string())).default({}),
  comps: z.record(z.string(), z.string()).default({}),
  work_comps: z.record(z.string(), z.string()).default({}),
  repodata: z.record(z.string(), z.record(z.string(), z.unknown())).default({}),
  files: z.array(z.string()).default([]),
  treeinfo: z.record(z.string(), z.unknown()).default({}),
  discinfo: z.record(z.string(), z.array(z.string())).default({}),
  media_repo: z.record(z.string(), z.unknown()).default({}),
  repoclosure: z.unknown().optional(),
});
const vectorSchema = z.object({
  name: z.string(),
  args: z.array(z.string()),
  env: z.record(z.string(), z.string()).nullish(),
  files: z.record(z.string(), z.string()),
  result: resultSchema,
});

export type MainVector = z.infer<typeof vectorSchema>;

/** The directory of the recorded composes. */
export const universe = sharedPath('pungi', 'main');

const commonComps = readFileSync(sharedPath('pungi', 'main', 'comps-common.xml'), 'utf8');

/** Every recorded main compose. */
export function readVectors(): MainVector[] {
  const text = readFileSync(sharedPath('pungi', 'main', 'main-vectors.json'), 'utf8');
  return z.array(vectorSchema).parse(JSON.parse(text));
}

/** Where configurations of the records lie, as their texts name it. */
export const runDirectory = '@RUN@/';

/** The configuration directory of a recorded compose. */
export function filesOf(vector: MainVector): ConfigFiles {
  const texts = new Map(
    Object.entries(vector.files).map(([path, text]) => [
      path,
      text === '@COMMON@' ? commonComps : text.replaceAll('@UNI@', universe),
    ]),
  );
  return {
    prefix: runDirectory,
    read(path) {
      const text = texts.get(path);
      return text === undefined ? null : Buffer.from(text);
    },
    list(directory) {
      const paths = [...texts.keys()].filter((path) => path.startsWith(`${directory}/`));
      return paths.length === 0 ? null : paths.map((path) => path.slice(directory.length + 1));
    },
  };
}

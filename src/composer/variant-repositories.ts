import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { TEMPORARY } from '../model/compose.ts';
import { temporaryRepositories, type VariantRepositories } from '../rpm/series-repo.ts';

const byArch = z.record(z.string(), z.string()).default({});
const composeinfoSchema = z.object({
  payload: z.object({
    variants: z.record(
      z.string(),
      z.object({
        paths: z.object({ repository: byArch, source_repository: byArch, debug_repository: byArch }),
      }),
    ),
  }),
});

/**
 * Reads which repositories the variants of a published compose have, out of its composeinfo; those of a compose of one variant
 * where it is not to be read. `directory` is its `compose/`. Variants without trees have none.
 */
export function readVariantRepositories(directory: string): readonly VariantRepositories[] {
  let json: unknown;
  try {
    json = JSON.parse(readFileSync(`${directory}/metadata/composeinfo.json`, 'utf8'));
  } catch {
    return [temporaryRepositories];
  }
  const { success, data } = composeinfoSchema.safeParse(json);
  if (!success || Object.hasOwn(data.payload.variants, TEMPORARY)) return [temporaryRepositories];
  const found = Object.entries(data.payload.variants).flatMap(
    ([variant, { paths }]): VariantRepositories[] => {
      const binary = anyArch(paths.repository);
      const source = anyArch(paths.source_repository);
      const debug = anyArch(paths.debug_repository);
      return binary === null || source === null || debug === null ? [] : [{ variant, binary, source, debug }];
    },
  );
  return found.length === 0 ? [temporaryRepositories] : found;
}

/** A path of one arch, `BaseOS/x86_64/os`, as that of whichever; null where there is none. */
function anyArch(paths: Readonly<Record<string, string>>): string | null {
  const [first] = Object.entries(paths);
  if (first === undefined) return null;
  const [arch, path] = first;
  return path
    .split('/')
    .map((part, at) => (at === 1 && part === arch ? '$basearch' : part))
    .join('/');
}

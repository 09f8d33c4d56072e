import { readFileSync } from 'node:fs';
import { z } from 'zod';

const names = z.record(z.string(), z.string());
/** A package of this repository, which is no installed one: what it needs is installed with the rest. */
const workspace = z.object({
  dependencies: names.optional(),
  optionalDependencies: names.optional(),
  devDependencies: names.optional(),
});
const link = z.object({ link: z.literal(true) });
const entry = z.object({
  version: z.string(),
  integrity: z.string().optional(),
  license: z.string().optional(),
  dev: z.boolean().optional(),
  optional: z.boolean().optional(),
  hasInstallScript: z.boolean().optional(),
  dependencies: names.optional(),
  optionalDependencies: names.optional(),
  peerDependencies: names.optional(),
});
const root = z.object({
  name: z.string(),
  version: z.string(),
  license: z.string().optional(),
  dependencies: names.optional(),
  optionalDependencies: names.optional(),
  devDependencies: names.optional(),
});
const lock = z.object({
  lockfileVersion: z.literal(3),
  packages: z.intersection(z.object({ '': root }), z.record(z.string(), z.unknown())),
});

/** One installed package of package-lock.json. */
export interface LockedPackage extends z.infer<typeof entry> {
  /** Where it is installed: `node_modules/a` or `node_modules/a/node_modules/b`. */
  readonly path: string;
  readonly name: string;
}

export interface LockFile {
  readonly root: z.infer<typeof root>;
  /** The other packages of this repository: where they lie, and what they need. */
  readonly workspaces: readonly (z.infer<typeof workspace> & { readonly path: string })[];
  /** Sorted by path. */
  readonly packages: readonly LockedPackage[];
}

/**
 * Reads the package-lock.json at `path`, version 3. Throws `ZodError` for what is none.
 */
export function readLockFile(path: string): LockFile {
  const { packages } = lock.parse(JSON.parse(readFileSync(path, 'utf8')));
  const { '': own, ...others } = packages;
  const isInstalled = ([place, value]: [string, unknown]): boolean =>
    place.includes('node_modules/') && !link.safeParse(value).success;
  const workspaces = Object.entries(others)
    .filter(([place]) => !place.includes('node_modules/'))
    .map(([place, value]) => ({ ...workspace.parse(value), path: place }));
  return {
    root: own,
    workspaces,
    packages: Object.entries(others)
      .filter(isInstalled)
      .sort(([left], [right]) => (left < right ? -1 : 1))
      .map(([place, value]) => ({
        ...entry.parse(value),
        path: place,
        name: place.slice(place.lastIndexOf('node_modules/') + 'node_modules/'.length),
      })),
  };
}

/** Returns the package that `name` means to what is installed at `path`, as Node looks it up, or null. */
export function resolvePackage(packages: ReadonlyMap<string, LockedPackage>, path: string, name: string) {
  for (let base = path; ; base = base.slice(0, Math.max(0, base.lastIndexOf('node_modules/') - 1))) {
    const found = packages.get(`${base === '' ? '' : `${base}/`}node_modules/${name}`);
    if (found !== undefined) return found;
    if (base === '') return null;
  }
}

import { formatNsvc } from '../model/nsvc.ts';
import type { ModuleStream } from './modulemd.ts';

/** One module of `metadata/modules.json`. Source: module contract 5. */
export interface ProductmdModule {
  readonly metadata: Readonly<Record<'uid' | 'name' | 'stream' | 'version' | 'context' | 'koji_tag', string>>;
  readonly modulemd_path: Readonly<Record<string, string>>;
  readonly rpms: readonly string[];
}

/** Payload `modules`: variant to arch to NSVC. */
export type ProductmdModules = Readonly<
  Record<string, Readonly<Record<string, Readonly<Record<string, ProductmdModule>>>>>
>;

/**
 * Returns the payload of `modules.json` for one variant, still without the paths of the repodata files; empty without
 * modules.
 */
export function productmdModules(
  variant: string,
  arches: ReadonlyMap<string, readonly { readonly stream: ModuleStream; readonly kojiTag: string }[]>,
): ProductmdModules {
  const filled = [...arches].filter(([, modules]) => modules.length > 0);
  if (filled.length === 0) return {};
  return {
    [variant]: Object.fromEntries(
      filled.map(([arch, modules]) => [
        arch,
        Object.fromEntries(
          modules.map(({ stream, kojiTag }) => [formatNsvc(stream), entryOf(stream, kojiTag)]),
        ),
      ]),
    ),
  };
}

function entryOf(stream: ModuleStream, kojiTag: string): ProductmdModule {
  const { name, version, context, artifacts } = stream;
  const uid = formatNsvc(stream);
  return {
    metadata: { uid, name, stream: stream.stream, version, context, koji_tag: kojiTag },
    modulemd_path: {},
    rpms: artifacts,
  };
}

/** Where the `modules` record of a tree was written. */
export interface ModulemdPath {
  readonly variant: string;
  readonly arch: string;
  /** Relative to the compose: `Temporary/x86_64/os/repodata/<sha256>-modules.yaml.gz`. */
  readonly path: string;
}

/** Returns the payload with the repodata file of each tree filled in. */
export function withModulemdPaths(
  modules: ProductmdModules,
  paths: readonly ModulemdPath[],
): ProductmdModules {
  return mapValues(modules, (arches, variant) =>
    mapValues(arches, (entries, arch) => {
      const found = paths.find((document) => document.variant === variant && document.arch === arch);
      return found === undefined
        ? entries
        : mapValues(entries, (entry) => ({ ...entry, modulemd_path: { binary: found.path } }));
    }),
  );
}

/** Returns the modules of several payloads as one; of two that are called the same the later counts. */
export function mergeProductmdModules(payloads: readonly ProductmdModules[]): ProductmdModules {
  const merged: Record<string, Record<string, ProductmdModules[string][string]>> = {};
  for (const modules of payloads) {
    for (const [variant, arches] of Object.entries(modules)) {
      const into = (merged[variant] ??= {});
      for (const [arch, entries] of Object.entries(arches)) into[arch] = { ...into[arch], ...entries };
    }
  }
  return merged;
}

function mapValues<A, B>(
  record: Readonly<Record<string, A>>,
  change: (value: A, key: string) => B,
): Record<string, B> {
  return Object.fromEntries(Object.entries(record).map(([key, value]) => [key, change(value, key)]));
}

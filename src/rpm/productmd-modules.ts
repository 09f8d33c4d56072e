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
 * The payload of `modules.json` for the variant `Temporary`, still without the paths of the repodata files; empty
 * without modules.
 */
export function productmdModules(
  arches: ReadonlyMap<string, readonly { readonly stream: ModuleStream; readonly kojiTag: string }[]>,
): ProductmdModules {
  const filled = [...arches].filter(([, modules]) => modules.length > 0);
  if (filled.length === 0) return {};
  return {
    Temporary: Object.fromEntries(
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

/**
 * The payload with the repodata file of each arch filled in. `paths` is arch to the `modules` record, relative to the
 * compose: `Temporary/x86_64/os/repodata/<sha256>-modules.yaml.gz`.
 */
export function withModulemdPaths(
  modules: ProductmdModules,
  paths: ReadonlyMap<string, string>,
): ProductmdModules {
  return mapValues(modules, (arches) =>
    mapValues(arches, (entries, arch) => {
      const binary = paths.get(arch);
      return mapValues(entries, (entry) =>
        binary === undefined ? entry : { ...entry, modulemd_path: { binary } },
      );
    }),
  );
}

function mapValues<A, B>(
  record: Readonly<Record<string, A>>,
  change: (value: A, key: string) => B,
): Record<string, B> {
  return Object.fromEntries(Object.entries(record).map(([key, value]) => [key, change(value, key)]));
}

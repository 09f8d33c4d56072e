import { readModuleStream, type ModuleStream } from '../../rpm/modulemd.ts';
import { listModuleArchives, type KojiModuleBuild } from '../../upstream/koji/hub-modules.ts';
import { modulePath } from '../../upstream/koji/koji-path.ts';
import type { Koji } from '../koji/koji.ts';
import type { DescribedModule } from '../main/variant-modules.ts';

/**
 * Reads the documents of module builds, one for each package arch. Throws what the hub, its files and `readModuleStream`
 * throw. Source: main compose contract 5.
 */
export async function describeModules(
  koji: Koji,
  builds: Iterable<KojiModuleBuild>,
  signal: AbortSignal,
): Promise<ReadonlyMap<KojiModuleBuild, DescribedModule>> {
  const wanted = [...new Set(builds)];
  const ids = [...new Set(wanted.map(({ build }) => build.id))];
  const archives = await listModuleArchives(koji.hub, ids, { signal });
  const described = new Map<KojiModuleBuild, DescribedModule>();
  for (const build of wanted) {
    const documents = new Map<string, ModuleStream>();
    for (const { fileName, size } of archives.get(build.build.id) ?? []) {
      const arch = /^modulemd\.(\w+)\.txt$/.exec(fileName)?.[1];
      if (arch === undefined || arch === 'src') continue;
      const path = modulePath(build.build, fileName);
      const text = Buffer.from(await koji.source.files.read(path, 0, size)).toString('utf8');
      documents.set(arch, readModuleStream(text, path));
    }
    described.set(build, { build, documents });
  }
  return described;
}

import { ReactorError } from '../model/errors.ts';
import { formatNevra } from '../model/nevra.ts';
import { formatNsvc } from '../model/nsvc.ts';
import { readModuleDocuments } from '../rpm/modulemd.ts';
import { listPackages } from '../rpm/repodata/list-packages.ts';
import type { ComposeRepository } from '../rpm/repodata/open-compose-repositories.ts';
import type { Repository } from '../rpm/repodata/read-repository.ts';
import { urlBelow } from '../rpm/repodata/url-below.ts';
import type { BillPackage } from '../rpm/sbom/bill-of-materials.ts';
import { packageUrlOf } from '../rpm/sbom/package-url.ts';

/**
 * Reads the packages of these repositories, some at a time, each file once. `url` is that of the compose's directory.
 * Throws what reading repodata throws.
 */
export async function* listBillPackages(
  repositories: readonly ComposeRepository[],
  { url, repoid }: { readonly url: string; readonly repoid: string },
): AsyncGenerator<readonly BillPackage[]> {
  const seen = new Set<string>();
  for (const { path, repository } of repositories) {
    const modules = await modulesOf(repository);
    const id = repoidOf(path, repoid);
    for await (const some of listPackages(repository.readParts('primary'), `${path} primary`)) {
      const fresh: BillPackage[] = [];
      for (const listed of some) {
        const fileName = listed.href.slice(listed.href.lastIndexOf('/') + 1);
        const key = `${listed.checksum.value} ${fileName}`;
        if (seen.has(key)) continue;
        seen.add(key);
        fresh.push({
          listed,
          purl: packageUrlOf(listed, id),
          fileName,
          url: urlBelow(listed.base ?? `${url}/${path}`, listed.href),
          module: modules.get(formatNevra(listed)) ?? null,
        });
      }
      yield fresh;
    }
  }
}

/** The section of the `.repo` file that a repository belongs to. */
function repoidOf(path: string, repoid: string): string {
  if (path.endsWith('/source/tree')) return `${repoid}-source`;
  return path.endsWith('/debug/tree') ? `${repoid}-debuginfo` : repoid;
}

/**
 * Returns the module of each package of a repository, by NEVRA. Modules that others wrote and that cannot be read leave
 * packages without one.
 */
async function modulesOf(repository: Repository): Promise<ReadonlyMap<string, string>> {
  const modules = new Map<string, string>();
  if (repository.record('modules') === null) return modules;
  const yaml = (await repository.readRecord('modules')).toString('utf8');
  try {
    for (const document of readModuleDocuments(yaml, `${repository.location} modules`)) {
      if (document.kind !== 'stream') continue;
      for (const artifact of document.artifacts) modules.set(artifact, formatNsvc(document));
    }
  } catch (error) {
    if (!(error instanceof ReactorError)) throw error;
  }
  return modules;
}

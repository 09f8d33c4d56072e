import { ReactorError } from '../../model/errors.ts';
import { isRpmFileName } from '../../model/names.ts';
import { isSourceArch } from '../../model/nevra.ts';
import type { GatherIndex } from '../gather/gather-index.ts';
import type { SourcePackage } from '../selection.ts';
import { contentOfPkgid, isSha256 } from '../../model/content-id.ts';
import { sourcePackage } from '../source-package.ts';
import { locatePackage, type Leads, type LocatedPackage } from './locate-package.ts';

/** Returns where a package of an index lies. Throws what `locatePackage` throws. */
export function locateEntry(index: GatherIndex, id: number, leads: Leads): LocatedPackage {
  const { href, base } = index.locationOf(id);
  return locatePackage({ repository: index.repositoryOf(id).name, href, base }, leads);
}

/**
 * Returns a package of a repository as a compose takes it. Throws what `locatePackage` throws, and
 * `repo.file_name_unfit` for what cannot be a file of a compose.
 */
export function packageOfRepository(
  index: GatherIndex,
  id: number,
  { leads, sigkey }: { readonly leads: Leads; readonly sigkey: SourcePackage['sigkey'] },
): SourcePackage {
  const nevra = index.nevraOf(id);
  const { href } = index.locationOf(id);
  const pkgid = index.pkgidOf(id);
  const origin = locateEntry(index, id, leads);
  const repository = index.repositoryOf(id).name;
  return sourcePackage({
    ...nevra,
    sourceRpm: isSourceArch(nevra.arch) ? null : index.sourceRpmOf(id),
    fileName: fileNameOf(href, repository),
    payload: contentOfPkgid(pkgid),
    sigkey,
    size: index.sizeOf(id),
    origin:
      origin.kind === 'file'
        ? { ...origin, repository }
        : { ...origin, repository, sha256: isSha256(pkgid) ? pkgid : null },
  });
}

/** Returns the last part of a location, without its query. Throws `repo.file_name_unfit` for what cannot be a file of a compose. */
function fileNameOf(href: string, repository: string): string {
  const path = href.replace(/(\.rpm)\?.*$/s, '$1');
  const name = path.slice(path.lastIndexOf('/') + 1);
  if (isRpmFileName(name)) return name;
  throw new ReactorError(
    'repo.file_name_unfit',
    `The metadata call a package ${JSON.stringify(href.slice(0, 200))}, which is no name of an RPM file.`,
    { where: repository },
  );
}

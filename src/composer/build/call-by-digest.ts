import type { PackageFragments } from '../../rpm/package-fragments.ts';
import type { RepodataChecksum } from '../../rpm/repodata/repodata-checksum.ts';
import type { RepodataPackage } from '../../rpm/repodata/write-repodata.ts';
import { withPkgid } from '../../rpm/repodata/with-pkgid.ts';
import type { SourcePackage } from '../selection.ts';
import type { BuildContext } from './build.ts';

type DigestContext = Pick<BuildContext, 'signal' | 'localPathOf' | 'placing'> & {
  readonly checksum: RepodataChecksum;
};

/** RPMs whose digests are read between two looks at the signal. */
const READ_AT_ONCE = 200;

/**
 * Returns the metadata of packages with digests of another kind than their sources have; every file is read for that,
 * and fetched where it is remote. Throws what fetching throws, and `rpm.unreadable`. Source: main compose contract 7.
 */
export async function callByDigest(
  { signal, localPathOf, placing, checksum }: DigestContext,
  packages: readonly SourcePackage[],
  fragments: readonly RepodataPackage['fragments'][],
): Promise<readonly RepodataPackage['fragments'][]> {
  const digests: string[] = [];
  for (let at = 0; at < packages.length; at += READ_AT_ONCE) {
    signal.throwIfAborted();
    const some = packages.slice(at, at + READ_AT_ONCE);
    const paths = await Promise.all(some.map((rpm) => localPathOf(rpm, signal)));
    digests.push(...(await placing.readDigests(paths, checksum)));
  }
  return fragments.map((given, index) => {
    const digest = { type: checksum, value: digests[index] ?? '' };
    if (typeof given !== 'function') return withPkgid(given, digest);
    return async (): Promise<PackageFragments> => withPkgid(await given(), digest);
  });
}

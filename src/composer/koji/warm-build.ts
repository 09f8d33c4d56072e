import { getBuildsWithRpms } from '../../upstream/koji/hub-builds.ts';
import { indexCopies } from './index-copies.ts';
import type { Koji } from './koji.ts';
import { packageOfBuild } from './koji-package-set.ts';
import { chooseCopies, readSigningWish } from './signing.ts';

/**
 * Reads the metadata of a build before a compose asks for it: of the copies signed as the first key that is there,
 * for the arches wanted (`src` and `noarch` among them). Returns how many RPMs the index now knows of it. Throws
 * what reading the build and indexing throw.
 */
export async function warmBuild(
  koji: Koji,
  wanted: {
    readonly nvr: string;
    readonly sigkeys: readonly string[];
    readonly arches: ReadonlySet<string>;
  },
  signal: AbortSignal,
): Promise<number> {
  const [content] = await getBuildsWithRpms(koji.hub, [wanted.nvr], { signal });
  if (content === undefined) return 0;
  const { build, rpms } = content;
  const packages = rpms.filter((rpm) => wanted.arches.has(rpm.arch)).map((rpm) => packageOfBuild(rpm, build));
  const wish = readSigningWish(wanted.sigkeys);
  const copies = await chooseCopies(packages, wish, koji.source.files, await koji.index.knownCopies());
  const signed = copies.filter((copy) => !copy.isUnsigned);
  const context = koji.indexContext({ signal, progress: () => undefined });
  return (await indexCopies(context, signed)).length;
}

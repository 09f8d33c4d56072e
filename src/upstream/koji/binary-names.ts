import { ReactorError } from '../../model/errors.ts';
import { isDebugName, isSourceArch } from '../../model/nevra.ts';
import { getBuildsWithRpms } from './hub-builds.ts';
import type { KojiHub } from './hub.ts';

/**
 * The names of the binary packages of builds, by NVR and sorted, of whatever arch, without those of debug packages.
 * A build that the hub does not know, has deleted or not finished is left out. Throws what the hub throws.
 */
export async function binaryNamesOf(
  hub: KojiHub,
  nvrs: readonly string[],
): Promise<ReadonlyMap<string, readonly string[]>> {
  try {
    const contents = await getBuildsWithRpms(hub, nvrs);
    return new Map(
      contents.map(({ rpms }, index) => {
        const binary = rpms.filter(({ name, arch }) => !isSourceArch(arch) && !isDebugName(name));
        return [nvrs[index] ?? '', [...new Set(binary.map(({ name }) => name))].sort()];
      }),
    );
  } catch (error) {
    if (!(error instanceof ReactorError) || !error.code.startsWith('koji.build_')) throw error;
    if (nvrs.length === 1) return new Map();
    // One of them is gone; the others still have their packages.
    const found = new Map<string, readonly string[]>();
    for (const nvr of nvrs) for (const [key, names] of await binaryNamesOf(hub, [nvr])) found.set(key, names);
    return found;
  }
}

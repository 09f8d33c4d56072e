import { querySigkeys } from '../upstream/koji/hub-builds.ts';
import type { TagContent } from '../upstream/koji/hub-tags.ts';
import type { KojiHub } from '../upstream/koji/hub.ts';
import type { KojiBuild, KojiRpm } from '../upstream/koji/koji-build.ts';

/** An RPM that is looked at to judge the whole. */
export interface SampledRpm {
  readonly rpm: KojiRpm;
  readonly build: KojiBuild;
}

const SAMPLE = 40;

/** Some RPMs of a tag, spread evenly over it, so that all volumes have a chance. */
export function chooseSample({ rpms, builds }: TagContent): readonly SampledRpm[] {
  const step = Math.max(1, Math.floor(rpms.length / SAMPLE));
  return rpms
    .filter((_, at) => at % step === 0)
    .slice(0, SAMPLE)
    .flatMap((rpm) => {
      const build = builds.get(rpm.buildId);
      return build === undefined ? [] : [{ rpm, build }];
    });
}

/** How many of the sample the hub knows signatures of, in words. */
export async function countSigkeys(
  hub: KojiHub,
  sample: readonly SampledRpm[],
  sigkeys: readonly string[],
): Promise<{ readonly isWell: boolean; readonly says: string; readonly hint: string | null }> {
  const known = await querySigkeys(
    hub,
    sample.map(({ rpm }) => rpm.id),
  );
  const wanted = sigkeys.map((key) => key.toLowerCase());
  const counts = wanted.map((key) => [...known.values()].filter((keys) => keys.includes(key)).length);
  const unsigned = [...known.values()].filter((keys) => !wanted.some((key) => keys.includes(key))).length;
  const isWell = unsigned === 0;
  return {
    isWell,
    says: wanted.map((key, at) => `${key} signs ${counts[at]} of ${sample.length} RPMs tried`).join('; '),
    hint: isWell
      ? null
      : `${unsigned} of them have no signature of these keys; composes that need them will fail.`,
  };
}

import { formatRepoGpgcheck } from './productmd.ts';
import { TEMPORARY } from '../model/compose.ts';

/** Returns the public URL of what a series shows, without a final slash. `^` is the only letter of a name that no URL has. */
export function seriesUrl(targetDirUrl: string, series: string): string {
  return `${targetDirUrl}/series/${series.replaceAll('^', '%5E')}`;
}

/** Returns the repoid of a series: the same for ever, and a name that dnf and Hermeto take. Source: containers contract 1. */
export function seriesRepoid(series: string): string {
  return `odcs-${series.replace(/[^A-Za-z0-9_.:-]/g, '_')}`;
}

/** Where the repositories of a variant are, relative to `compose/`, with `$basearch` for the arch. */
export interface VariantRepositories {
  /** Null for the only variant of a compose that has no other. */
  readonly variant: string | null;
  readonly binary: string;
  readonly source: string;
  readonly debug: string;
}

/** The repositories of a compose of one variant. */
export const temporaryRepositories: VariantRepositories = {
  variant: null,
  binary: `${TEMPORARY}/$basearch/os`,
  source: `${TEMPORARY}/source/tree`,
  debug: `${TEMPORARY}/$basearch/debug/tree`,
};

/**
 * Writes the `.repo` file of a series, whose addresses always lead to its newest compose; a main compose has sections for
 * each variant. Sources and debuginfo are listed too; tools that write lock files read sources only where they are enabled.
 * Source: containers contract 1. `gpgkey` is the URL of the key that its metadata are signed with, left out where they are not.
 */
export function formatSeriesRepo(
  series: string,
  url: string,
  {
    isWithSources,
    gpgkey,
    variants,
  }: {
    readonly isWithSources: boolean;
    readonly gpgkey?: string;
    readonly variants: readonly VariantRepositories[];
  },
): string {
  const section = (suffix: string, words: string, path: string, enabled: 0 | 1): string =>
    `[${seriesRepoid(series)}${suffix}]
name=ODCS series ${series}${words}
baseurl=${url}/latest/compose/${path}
type=rpm-md
skip_if_unavailable=False
gpgcheck=0
${formatRepoGpgcheck(gpgkey)}enabled=${enabled}
enabled_metadata=1
`;
  return variants
    .flatMap(({ variant, binary, source, debug }) => {
      const [id, name] = variant === null ? ['', ''] : [`-${variant}`, ` ${variant}`];
      return [
        section(id, name, binary, 1),
        section(`${id}-source`, `${name} (sources)`, source, isWithSources ? 1 : 0),
        section(`${id}-debuginfo`, `${name} (debuginfo)`, debug, 0),
      ];
    })
    .join('\n');
}

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

/**
 * Writes the `.repo` file of a series, whose addresses always lead to its newest compose. Sources and debuginfo are
 * listed too; tools that write lock files read sources only where they are enabled. Source: containers contract 1.
 * `gpgkey` is the URL of the key that its metadata are signed with, left out where they are not.
 */
export function formatSeriesRepo(
  series: string,
  url: string,
  { isWithSources, gpgkey }: { readonly isWithSources: boolean; readonly gpgkey?: string },
): string {
  const repoid = seriesRepoid(series);
  const section = (suffix: string, words: string, path: string, isEnabled: boolean): string =>
    `[${repoid}${suffix}]
name=ODCS series ${series}${words}
baseurl=${url}/latest/compose/${TEMPORARY}/${path}
type=rpm-md
skip_if_unavailable=False
gpgcheck=0
${formatRepoGpgcheck(gpgkey)}enabled=${isEnabled ? '1' : '0'}
enabled_metadata=1
`;
  return [
    section('', '', '$basearch/os', true),
    section('-source', ' (sources)', 'source/tree', isWithSources),
    section('-debuginfo', ' (debuginfo)', '$basearch/debug/tree', false),
  ].join('\n');
}

import type { Nevra } from '../../model/nevra.ts';
import { formatNvra } from '../../model/nevra.ts';
import type { KojiBuild } from './koji-build.ts';

/** What of a build decides where its files lie. */
export type BuildPlace = Pick<KojiBuild, 'packageName' | 'version' | 'release' | 'volume'>;

/**
 * The folder of a build below the top directory. The DEFAULT volume has no folder of its own.
 * Source: Koji contract 5.
 */
export function buildPath(build: BuildPlace): string {
  const volume = build.volume === 'DEFAULT' ? '' : `vol/${build.volume}/`;
  return `${volume}packages/${build.packageName}/${build.version}/${build.release}`;
}

/** The file of an RPM: the primary copy with sigkey null, else the copy signed with that key. */
export function rpmPath(build: BuildPlace, rpm: Nevra, sigkey: string | null): string {
  const signed = sigkey === null ? '' : `data/signed/${sigkey.toLowerCase()}/`;
  return `${buildPath(build)}/${signed}${rpm.arch}/${formatNvra(rpm)}.rpm`;
}

/** The URL of a path below the top directory: `^`, `~`, `+` and the like are escaped segment by segment. */
export function urlOfPath(topUrl: string, path: string): string {
  const escaped = path.split('/').map((segment) => encodeURIComponent(segment).replaceAll('~', '%7E'));
  return `${topUrl.replace(/\/+$/, '')}/${escaped.join('/')}`;
}

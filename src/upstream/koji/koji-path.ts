import { ReactorError } from '../../model/errors.ts';
import { isName, isPathBelow, isRpmFileName, type NameKind } from '../../model/names.ts';
import type { Nevra } from '../../model/nevra.ts';
import { formatNvra } from '../../model/nevra.ts';
import type { KojiBuild } from './koji-build.ts';

/** What of a build decides where its files lie. */
export type BuildPlace = Pick<KojiBuild, 'packageName' | 'version' | 'release' | 'volume'>;

/**
 * Returns the folder of a build below the top directory. The DEFAULT volume has no folder of its own. Throws
 * `koji.name_unfit` where the hub names the build as none can be. Source: Koji contract 5.
 */
export function buildPath(build: BuildPlace): string {
  const { volume, packageName, version, release } = build;
  const folder = `packages/${fit('package', packageName)}/${fit('version', version)}/${fit('release', release)}`;
  return volume === 'DEFAULT' ? folder : `vol/${fit('volume', volume)}/${folder}`;
}

/**
 * Returns the file of an RPM: the primary copy with sigkey null, else the copy signed with that key. Throws
 * `koji.name_unfit` where the hub names build or RPM as none can be.
 */
export function rpmPath(build: BuildPlace, rpm: Nevra, sigkey: string | null): string {
  const signed = sigkey === null ? '' : `data/signed/${fit('sigkey', sigkey).toLowerCase()}/`;
  const fileName = `${formatNvra(rpm)}.rpm`;
  if (!isRpmFileName(fileName)) throw unfit(fileName);
  return `${buildPath(build)}/${signed}${fit('arch', rpm.arch)}/${fileName}`;
}

/** Returns the file of a module build in its folder. Throws `koji.name_unfit`. */
export function modulePath(build: BuildPlace, fileName: string): string {
  if (!/^modulemd(?:\.[A-Za-z0-9_]+)?\.txt$/.test(fileName)) throw unfit(fileName);
  return `${buildPath(build)}/files/module/${fileName}`;
}

/**
 * Returns the path of what a task left below the top directory; `path` is relative to its `work`. Throws
 * `koji.name_unfit`.
 */
export function taskPath(path: string): string {
  const fileName = path.slice(path.lastIndexOf('/') + 1);
  if (!isPathBelow(path) || !isRpmFileName(fileName)) throw unfit(path);
  return `work/${path}`;
}

/** Returns the path of a file that a task uploaded. Throws `koji.name_unfit`. Source: Koji contract 5. */
export function taskOutputPath(taskId: number, fileName: string): string {
  if (!isFileName(fileName)) throw unfit(fileName);
  return `work/tasks/${taskId % 10_000}/${taskId}/${fileName}`;
}

/** Returns the path of a file in a folder of a build. Throws `koji.name_unfit`. */
export function buildFilePath(build: BuildPlace, folder: 'images', fileName: string): string {
  if (!isFileName(fileName)) throw unfit(fileName);
  return `${buildPath(build)}/${folder}/${fileName}`;
}

function isFileName(name: string): boolean {
  return !name.includes('/') && isPathBelow(name);
}

function fit(kind: NameKind, name: string): string {
  if (isName(kind, name)) return name;
  throw unfit(name);
}

function unfit(name: string): ReactorError {
  return new ReactorError(
    'koji.name_unfit',
    `The Koji hub names something ${JSON.stringify(name.slice(0, 200))}, which cannot be a part of a path.`,
    { hint: 'The hub, or something before it, answers what no Koji holds.' },
  );
}

/** Returns the URL of a path below the top directory: `^`, `~`, `+` and the like are escaped segment by segment. */
export function urlOfPath(topUrl: string, path: string): string {
  const escaped = path.split('/').map((segment) => encodeURIComponent(segment).replaceAll('~', '%7E'));
  return `${topUrl.replace(/\/+$/, '')}/${escaped.join('/')}`;
}

import { required, textOf } from './fields.ts';

type Fields = Readonly<Record<string, unknown>>;

/** Name and NVR of a Koji build struct, where it says them. */
export function findBuildName(build: Fields): { nvr: string; package: string } | undefined {
  const name = textOf(build, 'package_name', 'name');
  const [version, release] = [textOf(build, 'version'), textOf(build, 'release')];
  const parts = name !== undefined && version !== undefined && release !== undefined;
  const nvr = textOf(build, 'nvr') ?? (parts ? `${name}-${version}-${release}` : undefined);
  if (nvr === undefined) return undefined;
  return { nvr, package: name ?? packageOfNvr(nvr) };
}

/** Name and NVR of a Koji build struct. Throws UnusableMessage where it says neither. */
export function buildNameOf(build: Fields): { nvr: string; package: string } {
  return required(findBuildName(build), 'which build');
}

/** The package of an NVR: all before the last two hyphens. */
export function packageOfNvr(nvr: string): string {
  const release = nvr.lastIndexOf('-');
  const version = nvr.lastIndexOf('-', release - 1);
  return version > 0 ? nvr.slice(0, version) : nvr;
}

import { ReactorError } from './errors.ts';
import type { Evr } from './evr.ts';

/** Name, version and release of a Koji build. */
export interface Nvr {
  readonly name: string;
  readonly version: string;
  readonly release: string;
}

/** What names one RPM: name, epoch, version, release, arch (`src` or `nosrc` for sources). */
export interface Nevra extends Evr {
  readonly name: string;
  readonly arch: string;
}

/** Reads `name-version-release`. Throws `nevra.invalid` where there are fewer than two dashes. */
export function parseNvr(text: string): Nvr {
  const release = text.lastIndexOf('-');
  const version = text.lastIndexOf('-', release - 1);
  if (version <= 0 || release === text.length - 1 || release === version + 1) {
    throw new ReactorError('nevra.invalid', `"${text}" is not a name-version-release.`, {
      hint: 'Write it as Koji does, for example openssl-3.2.1-4.fc42.',
    });
  }
  return {
    name: text.slice(0, version),
    version: text.slice(version + 1, release),
    release: text.slice(release + 1),
  };
}

/**
 * Reads the name of an RPM, with or without an epoch (`ed-0:1.14-2.x86_64`, `ed-1.14-2.x86_64`) and with or
 * without `.rpm` and a leading directory. Throws `nevra.invalid`.
 */
export function parseNevra(text: string): Nevra {
  const file = text.slice(text.lastIndexOf('/') + 1);
  const bare = file.endsWith('.rpm') ? file.slice(0, -4) : file;
  const dot = bare.lastIndexOf('.');
  if (dot <= 0) throw new ReactorError('nevra.invalid', `"${text}" has no arch.`);
  const nvr = parseNvr(bare.slice(0, dot));
  const colon = nvr.version.indexOf(':');
  return {
    name: nvr.name,
    epoch: colon > 0 ? nvr.version.slice(0, colon) : '0',
    version: colon >= 0 ? nvr.version.slice(colon + 1) : nvr.version,
    release: nvr.release,
    arch: bare.slice(dot + 1),
  };
}

/** Writes `name-epoch:version-release.arch`, the epoch always present, as productmd writes it. */
export function formatNevra(nevra: Nevra): string {
  return `${nevra.name}-${nevra.epoch}:${nevra.version}-${nevra.release}.${nevra.arch}`;
}

/** Writes `name-version-release.arch`, as file names and Koji have it. */
export function formatNvra(nevra: Nevra): string {
  return `${nevra.name}-${nevra.version}-${nevra.release}.${nevra.arch}`;
}

/** Whether the arch is that of a source package. */
export function isSourceArch(arch: string): boolean {
  return arch === 'src' || arch === 'nosrc';
}

/**
 * Returns the name-version-release in the file name of a source RPM (`ed-1.14-2` of `ed-1.14-2.src.rpm`), or null for
 * a text that is no such name: vendors write anything there.
 */
export function nvrOfSourceRpm(file: string): string | null {
  const suffix = file.endsWith('.src.rpm') ? 8 : file.endsWith('.nosrc.rpm') ? 10 : 0;
  if (suffix === 0) return null;
  const nvr = file.slice(0, -suffix);
  const release = nvr.lastIndexOf('-');
  const version = nvr.lastIndexOf('-', release - 1);
  return version > 0 && release > version + 1 && release < nvr.length - 1 ? nvr : null;
}

/** Whether a name is that of a debuginfo or debugsource package, or a pattern that asks for them. */
export function isDebugName(name: string): boolean {
  return name.endsWith('-debuginfo') || name.includes('-debuginfo-') || name.endsWith('-debugsource');
}

import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import { z } from 'zod';
import { messageOf, ReactorError } from '../model/errors.ts';
import { parseNevra } from '../model/nevra.ts';

/** Lists of packages by basearch, as the service takes them. */
export type PackageLists = Readonly<Record<string, readonly string[]>>;

const lockSchema = z.object({
  arches: z.array(
    z.object({ arch: z.string(), packages: z.array(z.object({ url: z.string(), evr: z.string() })) }),
  ),
});
const component = z.object({ purl: z.string().optional() });
const cyclonedxSchema = z.object({ bomFormat: z.literal('CycloneDX'), components: z.array(component) });
const spdxSchema = z.object({
  spdxVersion: z.string(),
  packages: z.array(
    z.object({
      externalRefs: z.array(z.object({ referenceType: z.string(), referenceLocator: z.string() })).optional(),
    }),
  ),
});

/** Reads what a lock file `rpms.lock.yaml` has for each arch. Throws `image.file_unreadable`. */
export function readLockedPackages(file: string): PackageLists {
  const read = lockSchema.safeParse(parsedBy((text) => parse(text, { maxAliasCount: 0 }), file));
  if (!read.success) throw unreadable(file, 'it is no rpms.lock.yaml');
  return Object.fromEntries(
    read.data.arches.map(({ arch, packages }) => [
      arch,
      packages.map(({ url, evr }) => {
        const { name, arch: rpmArch } = parseNevra(decodeURIComponent(url));
        return `${name}-${evr.includes(':') ? '' : '0:'}${evr}.${rpmArch}`;
      }),
    ]),
  );
}

/**
 * Reads the RPMs of a bill of materials, CycloneDX or SPDX as JSON, from their package URLs. Throws
 * `image.file_unreadable`.
 */
export function readBilledPackages(file: string): readonly string[] {
  const json = parsedBy((text) => JSON.parse(text), file);
  const cyclonedx = cyclonedxSchema.safeParse(json);
  const spdx = spdxSchema.safeParse(json);
  if (!cyclonedx.success && !spdx.success) throw unreadable(file, 'it is neither CycloneDX nor SPDX');
  const urls = [
    ...(cyclonedx.data?.components ?? []).map(({ purl }) => purl ?? ''),
    ...(spdx.data?.packages ?? [])
      .flatMap(({ externalRefs = [] }) => externalRefs)
      .flatMap((reference) => (reference.referenceType === 'purl' ? [reference.referenceLocator] : [])),
  ];
  const found = urls.flatMap((url) => packageOfUrl(url) ?? []);
  if (found.length === 0) throw unreadable(file, 'it names no RPM by a package URL');
  return found;
}

/** Reads the output of `rpm -qa`. Throws `image.file_unreadable`. */
export function readInstalledPackages(file: string): readonly string[] {
  return textOf(file)
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');
}

/** Returns `name-[epoch:]version-release[.arch]` of a package URL of an RPM, null for another one. Source: containers contract 4. */
function packageOfUrl(url: string): string | null {
  const [, path = '', query = ''] = /^pkg:rpm\/([^?#]+)(?:\?([^#]*))?/.exec(url) ?? [];
  const at = path.lastIndexOf('@');
  if (at <= 0) return null;
  const name = decodeURIComponent(path.slice(path.lastIndexOf('/', at) + 1, at));
  const version = decodeURIComponent(path.slice(at + 1));
  const qualifiers = new URLSearchParams(query);
  const epoch = qualifiers.get('epoch');
  const arch = qualifiers.get('arch');
  return `${name}-${epoch === null ? '' : `${epoch}:`}${version}${arch === null ? '' : `.${arch}`}`;
}

function parsedBy(read: (text: string) => unknown, file: string): unknown {
  const text = textOf(file);
  try {
    return read(text);
  } catch (cause) {
    throw unreadable(file, messageOf(cause), cause);
  }
}

function textOf(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (cause) {
    throw unreadable(file, messageOf(cause), cause);
  }
}

function unreadable(file: string, why: string, cause?: unknown): ReactorError {
  return new ReactorError('image.file_unreadable', `The packages of the image cannot be read: ${why}.`, {
    where: file,
    hint: 'Give a lock file with --lock, CycloneDX or SPDX as JSON with --sbom, the output of rpm -qa with --installed.',
    cause,
  });
}

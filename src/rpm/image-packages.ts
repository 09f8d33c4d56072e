import { parse } from 'yaml';
import { z } from 'zod';
import { messageOf, ReactorError } from '../model/errors.ts';
import { parseNevra } from '../model/nevra.ts';

/** Lists of packages by basearch, as `rpm -qa` writes them. */
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

/** Returns what a lock file `rpms.lock.yaml` has for each arch. Throws `image.file_unreadable`. */
export function packagesOfLock(text: string, where: string): PackageLists {
  const read = lockSchema.safeParse(parsedBy((): unknown => parse(text, { maxAliasCount: 0 }), where));
  if (!read.success) throw unreadableImageFile(where, 'it is no rpms.lock.yaml');
  const { arches } = read.data;
  return parsedBy(
    () =>
      Object.fromEntries(
        arches.map(({ arch, packages }) => [
          arch,
          packages.map(({ url, evr }) => {
            const { name, arch: rpmArch } = parseNevra(decodeURIComponent(url));
            return `${name}-${evr.includes(':') ? '' : '0:'}${evr}.${rpmArch}`;
          }),
        ]),
      ),
    where,
  );
}

/**
 * Returns the RPMs of a bill of materials, CycloneDX or SPDX as JSON, by their package URLs. Throws
 * `image.file_unreadable`.
 */
export function packagesOfBill(text: string, where: string): readonly string[] {
  const json = parsedBy((): unknown => JSON.parse(text), where);
  const cyclonedx = cyclonedxSchema.safeParse(json);
  const spdx = spdxSchema.safeParse(json);
  if (!cyclonedx.success && !spdx.success) {
    throw unreadableImageFile(where, 'it is neither CycloneDX nor SPDX');
  }
  const urls = [
    ...(cyclonedx.data?.components ?? []).map(({ purl }) => purl ?? ''),
    ...(spdx.data?.packages ?? [])
      .flatMap(({ externalRefs = [] }) => externalRefs)
      .flatMap(({ referenceType, referenceLocator }) => (referenceType === 'purl' ? [referenceLocator] : [])),
  ];
  const found = parsedBy(() => urls.flatMap((url) => packageOfUrl(url) ?? []), where);
  if (found.length === 0) throw unreadableImageFile(where, 'it names no RPM by a package URL');
  return found;
}

/** Returns the error of a file, a path or URL, that says nothing of an image's packages. */
export function unreadableImageFile(where: string, why: string, cause?: unknown): ReactorError {
  return new ReactorError('image.file_unreadable', `The packages of the image cannot be read: ${why}.`, {
    where,
    hint: 'A lock file is an rpms.lock.yaml, a bill of materials CycloneDX or SPDX as JSON, a list the output of rpm -qa.',
    cause,
  });
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

function parsedBy<Read>(read: () => Read, where: string): Read {
  try {
    return read();
  } catch (cause) {
    throw unreadableImageFile(where, messageOf(cause), cause);
  }
}

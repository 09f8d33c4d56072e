import { z } from 'zod';
import { ReactorError } from '../../../model/errors.ts';
import { isName, isPathBelow } from '../../../model/names.ts';
import { isSourceArch, parseNevra } from '../../../model/nevra.ts';
import { isJsonObject } from '../../../model/request-fields.ts';

/** What `metadata/rpms.json` says of one variant of a compose. */
export interface VariantRpms {
  readonly composeId: string;
  readonly arches: readonly string[];
  /** The empty one, for unsigned RPMs, comes last. */
  readonly sigkeys: readonly string[];
  /** NVRs. */
  readonly builds: readonly string[];
  /** Names of binary packages. */
  readonly names: readonly string[];
  /** Arch to the file name of every RPM to its sigkey, null for an unsigned one. */
  readonly sigkeyOf: ReadonlyMap<string, ReadonlyMap<string, string | null>>;
}

/** Repositories of one arch of a variant, relative to `compose/`; null where the compose has none. */
export interface ArchPaths {
  readonly binary: string;
  readonly debug: string | null;
  readonly source: string | null;
}

/** What `metadata/composeinfo.json` says of one variant of a compose. */
export interface VariantPaths {
  readonly composeId: string;
  readonly arches: ReadonlyMap<string, ArchPaths>;
}

const byName = z.record(z.string(), z.unknown());
const documentShape = z.object({
  header: z.object({ version: z.string(), type: z.string().optional() }),
  payload: byName.and(z.object({ compose: z.object({ id: z.string() }) })),
});
const paths = z.record(z.string(), z.string()).default({});
const variantShape = z.object({
  arches: z.array(z.string()),
  paths: z.object({ repository: paths, debug_repository: paths, source_repository: paths }),
});

/** Reads the payload of a document of productmd. Throws `pungi.metadata_strange`, `pungi.metadata_version`. */
function readDocument(kind: 'rpms' | 'composeinfo', text: string, where: string) {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    const what = /^\s*</.test(text) ? 'a page of HTML or XML' : 'something that is not JSON';
    throw new ReactorError(
      'pungi.metadata_strange',
      `The compose has ${what} where its metadata should be.`,
      {
        where,
        hint: 'Write the URL of a variant of a finished compose: https://HOST/…/compose/Server.',
        cause,
      },
    );
  }
  const parsed = documentShape.safeParse(json);
  if (!parsed.success) throw strange(kind, where, parsed.error);
  const { header, payload } = parsed.data;
  const isOther = header.type !== undefined && header.type !== `productmd.${kind}`;
  if (isOther || !/^1\.\d+$/.test(header.version)) {
    throw new ReactorError(
      'pungi.metadata_version',
      `The metadata are ${header.type ?? `productmd.${kind}`} of version ${header.version}, where productmd.${kind} of version 1 is read.`,
      { where },
    );
  }
  return payload;
}

function strange(kind: string, where: string, cause?: unknown): ReactorError {
  return new ReactorError('pungi.metadata_strange', `This is not the ${kind} of a compose.`, {
    where,
    cause,
  });
}

function leadsOut(path: string, where: string): ReactorError {
  return new ReactorError(
    'pungi.path_outside',
    `The metadata of the compose name ${JSON.stringify(path.slice(0, 200))}, which leaves the compose.`,
    { where },
  );
}

function variantOf<Value>(
  kind: string,
  variants: Readonly<Record<string, Value>>,
  variant: string,
  where: string,
): Value {
  if (Object.hasOwn(variants, variant)) {
    const found = variants[variant];
    if (found !== undefined) return found;
  }
  throw new ReactorError(
    'pungi.variant_unknown',
    `The ${kind} of the compose know no variant "${variant}".`,
    {
      where,
      hint: `The variants are: ${Object.keys(variants).slice(0, 20).join(', ') || 'none'}.`,
    },
  );
}

/** Builds that are read before others get their turn. */
const BUILDS_AT_ONCE = 500;

/**
 * Reads the RPMs of one variant. Throws `pungi.metadata_strange`, `pungi.metadata_version`, `pungi.variant_unknown`,
 * `pungi.no_rpms`, `pungi.path_outside`. Source: ODCS contract 15, pungi contract 4.2.
 */
export async function readVariantRpms(text: string, variant: string, where: string): Promise<VariantRpms> {
  const { compose, rpms } = readDocument('rpms', text, where);
  const variants = byName.safeParse(rpms);
  if (!variants.success) throw strange('rpms', where, variants.error);
  if (Object.keys(variants.data).length === 0) throw noRpms(variant, where);
  const arches = z.record(z.string(), byName).safeParse(variantOf('rpms', variants.data, variant, where));
  if (!arches.success) throw strange('rpms', where, arches.error);
  const builds = new Set<string>();
  const names = new Set<string>();
  const sigkeyOf = new Map<string, Map<string, string | null>>();
  const keys = new Set<string | null>();
  let read = 0;
  for (const [arch, sources] of Object.entries(arches.data)) {
    if (!isName('arch', arch)) throw strange('rpms', where);
    const ofArch = new Map<string, string | null>();
    for (const [source, entries] of Object.entries(sources)) {
      read += 1;
      if (read % BUILDS_AT_ONCE === 0) await new Promise((go) => setImmediate(go));
      builds.add(nvrOf(source, where));
      if (!isJsonObject(entries)) throw strange('rpms', where);
      for (const [nevra, entry] of Object.entries(entries)) {
        const { path, category, sigkey } = readEntry(entry, where);
        if (!isPathBelow(path)) throw leadsOut(path, where);
        if (category === 'binary') names.add(nameOf(nevra, where));
        ofArch.set(path.slice(path.lastIndexOf('/') + 1), sigkey);
        keys.add(sigkey);
      }
    }
    if (ofArch.size > 0 && !isSourceArch(arch)) sigkeyOf.set(arch, ofArch);
  }
  if (sigkeyOf.size === 0) throw noRpms(variant, where);
  const sigkeys = [...keys].filter((key) => key !== null).sort();
  const odd = sigkeys.find((key) => !isName('sigkey', key));
  if (odd !== undefined) throw strange('rpms', where);
  return {
    composeId: compose.id,
    arches: [...sigkeyOf.keys()].sort(),
    sigkeys: keys.has(null) ? [...sigkeys, ''] : sigkeys,
    builds: [...builds].sort(),
    names: [...names].sort(),
    sigkeyOf,
  };
}

/** Reads one RPM by hand: the largest composes have hundreds of thousands of them. */
function readEntry(entry: unknown, where: string) {
  if (!isJsonObject(entry)) throw strange('rpms', where);
  const { path, category, sigkey = null } = entry;
  const isKey = sigkey === null || typeof sigkey === 'string';
  if (typeof path !== 'string' || typeof category !== 'string' || !isKey) throw strange('rpms', where);
  return { path, category, sigkey: sigkey === null ? null : sigkey.toLowerCase() };
}

function noRpms(variant: string, where: string): ReactorError {
  return new ReactorError('pungi.no_rpms', `The variant "${variant}" of the compose has no RPMs.`, {
    where,
    hint: 'Nothing can be composed of it.',
  });
}

function nvrOf(nevra: string, where: string): string {
  const { name, version, release } = readNevra(nevra, where);
  const nvr = `${name}-${version}-${release}`;
  if (!isName('nvr', nvr)) throw strange('rpms', where);
  return nvr;
}

function nameOf(nevra: string, where: string): string {
  const { name } = readNevra(nevra, where);
  if (!isName('package', name)) throw strange('rpms', where);
  return name;
}

function readNevra(nevra: string, where: string) {
  try {
    return parseNevra(nevra);
  } catch (cause) {
    throw strange('rpms', where, cause);
  }
}

/**
 * Reads where the repositories of one variant lie. Throws `pungi.metadata_strange`, `pungi.metadata_version`,
 * `pungi.variant_unknown`, `pungi.path_outside`.
 */
export function readVariantPaths(text: string, variant: string, where: string): VariantPaths {
  const { compose, variants: listed } = readDocument('composeinfo', text, where);
  const variants = byName.safeParse(listed);
  if (!variants.success) throw strange('composeinfo', where, variants.error);
  const parsed = variantShape.safeParse(variantOf('composeinfo', variants.data, variant, where));
  if (!parsed.success) throw strange('composeinfo', where, parsed.error);
  const { repository, debug_repository: debug, source_repository: source } = parsed.data.paths;
  const arches = new Map<string, ArchPaths>();
  for (const arch of parsed.data.arches) {
    const binary = pathOf(repository, arch, where);
    if (binary === null) continue;
    arches.set(arch, { binary, debug: pathOf(debug, arch, where), source: pathOf(source, arch, where) });
  }
  return { composeId: compose.id, arches };
}

function pathOf(paths: Readonly<Record<string, string>>, arch: string, where: string): string | null {
  if (!Object.hasOwn(paths, arch)) return null;
  const path = paths[arch]?.replace(/\/+$/, '') ?? '';
  if (!isPathBelow(path)) throw leadsOut(path, where);
  return path;
}

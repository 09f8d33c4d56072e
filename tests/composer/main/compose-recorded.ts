import { readFileSync } from 'node:fs';
import { posix } from 'node:path';
import { z } from 'zod';
import { textsOf } from '../../../src/composer/main/config-value.ts';
import { describeExtraFiles, readExtraFiles } from '../../../src/composer/main/extra-files.ts';
import { gatherMain, type MainGather } from '../../../src/composer/main/gather-main.ts';
import { loadConfig, type LoadedConfig } from '../../../src/composer/main/load-config.ts';
import type { MainDefinition } from '../../../src/composer/main/main-definition.ts';
import {
  findPhaseFaults,
  identityOf,
  isComposeType,
  latestLinkOf,
  type ComposeType,
  type MainIdentity,
} from '../../../src/composer/main/main-identity.ts';
import {
  formatDotFiles,
  formatMainComposeinfo,
  modulesOfVariants,
} from '../../../src/composer/main/main-metadata.ts';
import { placesOf } from '../../../src/composer/main/main-layout.ts';
import { formatMainRpms, listPlacedRpms } from '../../../src/composer/main/main-rpms.ts';
import { findProductId } from '../../../src/composer/main/product-ids.ts';
import { readDefinition } from '../../../src/composer/main/read-definition.ts';
import {
  checkRepoclosure,
  formatRepoclosureLog,
  judgeRepoclosure,
  repoclosureLogPath,
} from '../../../src/composer/main/repoclosure.ts';
import { validateConfig } from '../../../src/composer/main/validate-config.ts';
import { compsOfArch } from '../../../src/composer/main/variant-comps.ts';
import { wantedNamesOf } from '../../../src/composer/main/variant-inputs.ts';
import { archesOfVariants } from '../../../src/composer/main/variants.ts';
import { ReactorError } from '../../../src/model/errors.ts';
import { matchNamePattern } from '../../../src/model/name-pattern.ts';
import { formatCompsDocument, formatCompsTree } from '../../../src/rpm/format-comps.ts';
import { formatExtraFiles } from '../../../src/rpm/productmd-release.ts';
import { readPackages, type RecordedPackages } from './recorded-packages.ts';
import { filesOf, universe, type MainVector } from './recorded-vectors.ts';

/** What a compose came to, in the words of the records. */
export interface ComposeFacts {
  /** Lines of errors; a failed compose has nothing else but warnings. */
  readonly errors: readonly string[];
  readonly warnings: readonly string[];
  readonly output: string;
  readonly rpms: Readonly<Record<string, readonly string[]>>;
  readonly comps: Readonly<Record<string, string>>;
  readonly workComps: Readonly<Record<string, string>>;
  readonly metadata: Readonly<Record<string, unknown>>;
  readonly dotFiles: ReadonlyMap<string, string>;
  readonly extraFiles: readonly string[];
  readonly logs: Readonly<Record<string, string>>;
  readonly id: string;
  readonly latestLink: string | null;
}

const nothing: ComposeFacts = {
  errors: [],
  warnings: [],
  output: '',
  rpms: {},
  comps: {},
  workComps: {},
  metadata: {},
  dotFiles: new Map(),
  extraFiles: [],
  logs: {},
  id: '',
  latestLink: null,
};

/** Time stamps of the composes made here. */
export const TIMESTAMP = 1_700_000_000.5;

/** Plans a recorded compose from its configuration to the text of every metadata file. */
export async function composeRecorded(vector: MainVector): Promise<ComposeFacts> {
  const warnings: string[] = [];
  try {
    return await compose(vector, warnings);
  } catch (error) {
    if (!(error instanceof ReactorError)) throw error;
    return { ...nothing, warnings, errors: linesOf(error), output: error.message };
  }
}

function linesOf(error: ReactorError): string[] {
  const isOfGather = error.code === 'main.unresolved' || error.code === 'main.method_missing';
  const isDetailed = error.code === 'main.unresolved' || error.message === 'Configuration is not valid';
  return [
    ...(isDetailed ? (error.hint ?? '').split(/\n(?=Unresolved|GATHER)/) : []),
    ...(isOfGather ? [`Error in gathering for ${error.where}: ${error.message}`] : []),
    `Compose run failed: ${error.message}`,
  ];
}

async function compose(vector: MainVector, warnings: string[]): Promise<ComposeFacts> {
  const files = filesOf(vector);
  const loaded = loadConfig(files, 'fixture.conf');
  const faults = validateConfig(loaded.config);
  if (faults.errors.length > 0)
    return { ...nothing, output: [...faults.warnings, ...faults.errors].join('\n') };
  const skipped = new Set(textsOf(loaded.config.get('skip_phases')));
  const just = valuesOf(vector.args, '--just-phase');
  const isSkipped = (phase: string): boolean =>
    skipped.has(phase) || (just.length > 0 && !just.includes(phase));
  const phaseFaults = findPhaseFaults(isSkipped);
  if (phaseFaults.length > 0) return { ...nothing, errors: phaseFaults };
  const type = typeOf(vector.args, loaded);
  const [label = null] = valuesOf(vector.args, '--label');
  const chosen = { date: '@DATE@', type, respin: 0, label, timestamp: TIMESTAMP, isSupported: false };
  const product = { name: 'x', short: 'x', version: '1', type: 'ga' };
  const release = { ...product, isInternal: false, discinfoDescription: null, treeinfoVersion: null };
  identityOf({ release, baseProduct: null }, { ...chosen, mayLackLabel: false });
  const work = '@TARGET@/Fix-40-@DATE@.t.0/work/global';
  const definition = readDefinition(files, loaded, {
    variants: `${work}/variants.xml`,
    comps: `${work}/comps-global.xml`,
  });
  const identity = identityOf(definition, { ...chosen, mayLackLabel: false });
  const packages = await readPackages(definition);
  checkSignatures(definition, packages, wantedNamesOf(definition));
  const gathered = await gatherMain({ definition, packages });
  warnings.push(...packages.warnings, ...gathered.warnings);
  const binaries = [...gathered.trees.values()].flatMap((byArch) =>
    [...byArch.values()].flatMap((one) => one.binary),
  );
  checkSignatures(definition, packages, new Set(binaries.map((id) => packages.index.nameOf(id))));
  return describe(vector, loaded, definition, identity, packages, gathered, warnings, isSkipped);
}

function valuesOf(args: readonly string[], option: string): string[] {
  return args.flatMap((one, at) => (one === option ? [args[at + 1] ?? ''] : []));
}

function typeOf(args: readonly string[], { config }: LoadedConfig): ComposeType {
  const given = args.flatMap((one) => {
    const name = one.slice(2);
    return isComposeType(name) ? [name] : [];
  });
  const configured = config.get('compose_type');
  return (
    given[0] ?? (typeof configured === 'string' && isComposeType(configured) ? configured : 'production')
  );
}

/** Refuses missing signatures as `requireSigned` does for what the hub lists. */
function checkSignatures(
  definition: MainDefinition,
  packages: RecordedPackages,
  names: ReadonlySet<string>,
): void {
  const isAll = definition.plainMethod !== 'deps';
  const refused = [...packages.unsigned].filter(([, name]) => isAll || names.has(name)).map(([id]) => id);
  if (refused.length === 0) return;
  const nvrs = refused.map((id) => {
    const { name, version, release } = packages.index.nevraOf(id);
    return `${name}-${version}-${release}`;
  });
  const keys = definition.sigkeys.map((key) => `'${key}'`);
  const tuple = keys.length === 1 ? `(${keys.join('')},)` : `(${keys.join(', ')})`;
  throw new ReactorError(
    'koji.signed_copy_missing',
    `RPM(s) not found for sigs: ${tuple}. Check log for details. Unsigned packages:\n${[...new Set(nvrs)].sort().join('\n')}`,
  );
}

const payloadSchema = z.object({ payload: z.record(z.string(), z.unknown()) });

async function describe(
  vector: MainVector,
  loaded: LoadedConfig,
  definition: MainDefinition,
  identity: MainIdentity,
  packages: RecordedPackages,
  gathered: MainGather,
  warnings: string[],
  isSkipped: (phase: string) => boolean,
): Promise<ComposeFacts> {
  const payloadOf = (text: string): unknown => payloadSchema.parse(JSON.parse(text)).payload;
  const { index } = packages;
  const placed = [...listPlacedRpms(definition, packages, gathered.trees)];
  const rpms = formatMainRpms(identity, packages, placed, packages.sigkeyOf);
  warnings.push(...rpms.warnings);
  const extra = await readExtraFiles({
    files: filesOf(vector),
    loaded,
    variants: definition.variants,
    findPackage(glob, arch) {
      const isMatch = matchNamePattern(glob);
      const found = packages.sets
        .flatMap(({ ids }) => ids)
        .find((id) => isMatch(index.nameOf(id)) && (arch === null || index.archOf(id) === arch));
      return found === undefined ? null : () => Promise.resolve(readFileSync(packages.pathOf(found)));
    },
  });
  checkProductIds(vector, loaded, definition);
  const dotFiles = formatDotFiles(definition, identity);
  const place = {
    composeId: identity.id,
    url: `file://@TARGET@/${identity.id}/compose`,
    logs: `@TARGET@/${identity.id}/logs`,
  };
  const reports = isSkipped('repoclosure')
    ? []
    : await checkRepoclosure({ definition, packages, trees: gathered.trees });
  warnings.push(...judgeRepoclosure(definition, place, reports));
  const digests = textsOf(loaded.config.get('media_checksums') ?? ['md5', 'sha1', 'sha256']);
  const described = new Map(
    Array.from(extra, ([uid, byArch]) => [
      uid,
      new Map(Array.from(byArch, ([arch, files]) => [arch, describeExtraFiles(files, digests)])),
    ]),
  );
  const link = latestLinkOf(definition, 'FINISHED', {
    components: Number(valuesOf(vector.args, '--latest-link-components')[0] ?? -1),
    statuses: valuesOf(vector.args, '--latest-link-status'),
  });
  warnings.push(...link.warnings);
  const comps: Record<string, string> = {};
  const workComps: Record<string, string> = {};
  for (const [uid, byArch] of gathered.comps.byVariant) {
    const variant = definition.variants.get(uid);
    if (variant === undefined) continue;
    for (const [arch, document] of byArch) {
      const text = formatCompsDocument(document);
      workComps[`comps-${uid}.${arch}.xml`] = text;
      if (!variant.isEmpty && !isSkipped('createrepo'))
        comps[placesOf(variant, arch).binary.repository] = text;
    }
  }
  if (definition.comps !== null) {
    for (const arch of archesOfVariants(definition.variants)) {
      workComps[`comps-${arch}.xml`] = formatCompsTree(compsOfArch(definition.comps, arch));
    }
  }
  return {
    ...nothing,
    warnings,
    rpms: rpmsByTree(placed.map(({ path }) => path)),
    comps,
    workComps,
    metadata: {
      'composeinfo.json': payloadOf(formatMainComposeinfo(definition, identity)),
      'rpms.json': payloadOf(rpms.text),
      'modules.json': modulesOfVariants(packages),
      ...(loaded.config.has('extra_files')
        ? { 'extra_files.json': payloadOf(formatExtraFiles(identity, described)) }
        : {}),
    },
    dotFiles,
    extraFiles: [...extra.values()].flatMap((byArch) => [...byArch.values()].flat().map(({ path }) => path)),
    logs: Object.fromEntries(
      reports.map((report) => [repoclosureLogPath(report), formatRepoclosureLog(definition, place, report)]),
    ),
    id: identity.id,
    latestLink: link.name,
  };
}

function checkProductIds(vector: MainVector, { config }: LoadedConfig, definition: MainDefinition): void {
  const directory = config.get('product_id');
  if (typeof directory !== 'string') return;
  const names = (filesOf(vector).list(directory) ?? []).map((path) => posix.basename(path));
  for (const { uid, arches, isEmpty } of [...definition.variants.values()].sort((a, b) =>
    a.uid < b.uid ? -1 : 1,
  )) {
    for (const arch of isEmpty ? [] : arches) {
      findProductId(names, uid, arch, {
        isMissingFine: config.get('product_id_allow_missing') === true,
        isPrefixFine: config.get('product_id_allow_name_prefix') !== false,
      });
    }
  }
}

/** Trees as the records name them. */
function rpmsByTree(paths: readonly string[]): Record<string, string[]> {
  const trees: Record<string, string[]> = {};
  for (const path of new Set(paths)) {
    const [, tree = '', rest = ''] = /^(.*?\/(?:os|debug\/tree|source\/tree))\/(.*)$/.exec(path) ?? [];
    (trees[tree] ??= []).push(rest);
  }
  for (const list of Object.values(trees)) list.sort();
  return trees;
}

/** The place of recorded packages as the records name it. */
export function withPlaceholders(text: string): string {
  return text.replaceAll(`${universe}/koji-topdir`, '@TOPDIR@').replaceAll(universe, '@UNI@');
}

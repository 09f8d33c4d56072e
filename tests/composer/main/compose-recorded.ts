import { mkdtempSync, readFileSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { failureLines } from '../../../src/commands/pungi-koji/failure-lines.ts';
import { writeDotFiles } from '../../../src/composer/build/write-dot-files.ts';
import { listRpms } from '../../../src/composer/build/list-rpms.ts';
import { listVariants } from '../../../src/composer/build/write-metadata.ts';
import { writeTreeFiles } from '../../../src/composer/build/write-tree-files.ts';
import { listTrees } from '../../../src/composer/compose-trees.ts';
import { textsOf } from '../../../src/composer/main/config-value.ts';
import { gatherMain, type MainGather } from '../../../src/composer/main/gather-main.ts';
import { loadConfig, type LoadedConfig } from '../../../src/composer/main/load-config.ts';
import type { MainDefinition } from '../../../src/composer/main/main-definition.ts';
import {
  findPhaseFaults,
  identityOf,
  latestLinkOf,
  type MainIdentity,
} from '../../../src/composer/main/main-identity.ts';
import { modulesOfVariants } from '../../../src/composer/main/main-metadata.ts';
import { readDefinition } from '../../../src/composer/main/read-definition.ts';
import { validateConfig } from '../../../src/composer/main/validate-config.ts';
import { compsOfArch } from '../../../src/composer/main/variant-comps.ts';
import { wantedNamesOf } from '../../../src/composer/main/variant-inputs.ts';
import { archesOfVariants } from '../../../src/composer/main/variants.ts';
import { Pen } from '../../../src/composer/pen.ts';
import {
  formatRepoclosureCommand,
  formatRepoclosureLog,
  repoclosureLogPath,
  type RepoclosureSubject,
} from '../../../src/composer/repoclosure-log.ts';
import { atOnce } from '../../../src/in-turns.ts';
import { ReactorError } from '../../../src/model/errors.ts';
import { formatCompsDocument, formatCompsTree } from '../../../src/rpm/format-comps.ts';
import { formatRpms, type ListedRpms } from '../../../src/rpm/productmd-rpms.ts';
import { treePlaces } from '../../../src/rpm/productmd-variant.ts';
import {
  formatComposeinfo,
  isComposeType,
  type ComposeIdentity,
  type ComposeType,
} from '../../../src/rpm/productmd.ts';
import { readPackages, type RecordedPackages } from './recorded-packages.ts';
import { selectRecorded } from './recorded-selection.ts';
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
    return { ...nothing, warnings, errors: failureLines(error, []), output: error.message };
  }
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
    [...byArch.values()].flatMap((tree) => tree.binary),
  );
  checkSignatures(definition, packages, new Set(binaries.map((id) => packages.index.nameOf(id))));
  return describe(vector, loaded, definition, identity, packages, gathered, warnings, isSkipped);
}

function valuesOf(args: readonly string[], option: string): string[] {
  return args.flatMap((word, at) => (word === option ? [args[at + 1] ?? ''] : []));
}

function typeOf(args: readonly string[], { config }: LoadedConfig): ComposeType {
  const given = args.flatMap((word) => {
    const name = word.slice(2);
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
  const { selection, reports } = await selectRecorded({ vector, loaded, definition, packages, gathered });
  const built: ComposeIdentity = {
    ...identity,
    name: 'odcs-1',
    ...(selection.release === null ? {} : { release: selection.release }),
  };
  const listed = atOnce(listRpms({ selection }, new Map()));
  const rpmsJson: string[] = [];
  warnings.push(...atOnce(formatRpms(built, listed, (piece) => rpmsJson.push(piece))));
  const variants = listVariants(selection);
  const dotFiles = new Map<string, string>();
  const directory = mkdtempSync(join(tmpdir(), 'recorded-'));
  try {
    const pen = new Pen(directory);
    for (const { directory: tree, treeArch: arch, variant } of listTrees(selection)) {
      if (arch !== null) writeDotFiles(pen, tree, built, { variant, variants, arch });
    }
    writeTreeFiles(pen, built, selection);
    for (const path of readdirSync(directory, { recursive: true, encoding: 'utf8' })) {
      const file = join(directory, path);
      if (statSync(file).isFile()) dotFiles.set(path.slice('compose/'.length), readFileSync(file, 'utf8'));
    }
  } finally {
    rmSync(directory, { recursive: true });
  }
  const extraFilesJson = dotFiles.get('metadata/extra_files.json');
  dotFiles.delete('metadata/extra_files.json');
  const subject: RepoclosureSubject = {
    composeId: identity.id,
    urlOf: (uid) => `file://@TARGET@/${identity.id}/compose/${uid}/x86_64/os`,
  };
  for (const report of isSkipped('repoclosure') ? [] : reports) {
    if (report.unresolved.length === 0) continue;
    const failure =
      `ERROR running command: ${formatRepoclosureCommand(subject, report)}\n` +
      `For more details see @TARGET@/${identity.id}/logs/${repoclosureLogPath(report)}`;
    if (report.strictness === 'fatal') throw new ReactorError('main.repoclosure', failure);
    warnings.push(`Repoclosure failed for ${report.variant}.${report.arch}\n${failure}`);
  }
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
        comps[treePlaces(variant, arch).binary.repository] = text;
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
    rpms: rpmsByTree(pathsOf(listed)),
    comps,
    workComps,
    metadata: {
      'composeinfo.json': payloadOf(formatComposeinfo(built, variants)),
      'rpms.json': payloadOf(rpmsJson.join('')),
      'modules.json': modulesOfVariants(packages),
      ...(extraFilesJson === undefined ? {} : { 'extra_files.json': payloadOf(extraFilesJson) }),
    },
    dotFiles,
    logs: Object.fromEntries(
      reports.map((report) => [repoclosureLogPath(report), formatRepoclosureLog(subject, report)]),
    ),
    id: identity.id,
    latestLink: link.name,
  };
}

function pathsOf(listed: ListedRpms): string[] {
  return [...listed.values()].flatMap((byArch) =>
    [...byArch.values()].flatMap((rpms) => rpms.map(({ path }) => path)),
  );
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

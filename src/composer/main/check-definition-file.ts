import { ReactorError } from '../../model/errors.ts';
import type { FilePath, ReportProblem } from '../../model/file-problem.ts';
import type { ByArch, ChildEntry, DefinitionFile, VariantEntry } from './definition-file-schema.ts';
import { orderVariants } from './order-variants.ts';
import { checkPackageArch } from './variant-inputs.ts';
import type { Variant } from './variants.ts';
import { isList, lookasidesOf, reportUnknown, type WrittenVariant } from './written-variants.ts';

/** Reports names of variants, arches and parts that are none, and inputs that do not go together. */
export function checkNames(
  file: DefinitionFile,
  written: readonly WrittenVariant[],
  report: ReportProblem,
): void {
  const byUid = new Map(written.map((given) => [given.variant.uid, given]));
  const parts = file.inputs.composes?.map(String);
  checkArches(file.inputs.repositories, file.arches, ['inputs', 'repositories'], report);
  checkArches(file.gather.multilib_whitelist, file.arches, ['gather', 'multilib_whitelist'], report);
  checkArches(file.gather.multilib_blacklist, file.arches, ['gather', 'multilib_blacklist'], report);
  for (const name of Object.keys(file.inputs.koji?.module_builds ?? {})) {
    const path = ['inputs', 'koji', 'module_builds', name];
    if (!byUid.has(name)) reportUnknown(report, path, 'There is no variant', name, byUid.keys());
  }
  for (const { variant, entry, path } of written) {
    const { uid, arches } = variant;
    for (const key of byArchKeys) checkArches(entry[key], arches, [...path, key], report);
    for (const key of ['mapped_packages', 'prepopulate'] as const) {
      for (const arch of Object.keys(entry[key])) {
        if (!arches.includes(arch))
          reportUnknown(report, [...path, key, arch], `${uid} has no arch`, arch, arches);
      }
    }
    if (typeof entry.repoclosure === 'object') {
      checkArchKeys(Object.keys(entry.repoclosure), arches, [...path, 'repoclosure'], report);
    }
    for (const [at, provider] of entry.lookaside.entries()) {
      const place = [...path, 'lookaside', at];
      const provided = byUid.get(provider)?.variant;
      if (provided === undefined) reportUnknown(report, place, 'There is no variant', provider, byUid.keys());
      const lacking = arches.find((arch) => provided?.arches.includes(arch) === false);
      if (lacking !== undefined) {
        const message = `${provider} cannot serve ${uid}: it has no ${lacking}.`;
        report('definition.value_invalid', place, message, `Give ${provider} every arch that ${uid} has.`);
      }
    }
    for (const [at, part] of (entry.from ?? []).entries()) {
      const place = [...path, 'from', at];
      if (parts === undefined) {
        const message = 'Only a compose of composes has parts to take from.';
        report('definition.value_invalid', place, message, 'Name them under inputs.composes.');
      } else if (!parts.includes(String(part))) {
        reportUnknown(report, place, 'The inputs have no compose', String(part), parts);
      }
    }
    if (variant.modules !== null && file.inputs.koji === undefined) {
      const message = `${uid} names modules, which only Koji has.`;
      const hint =
        parts === undefined ? 'Take them from koji.' : 'Leave them out: modules come with the parts.';
      report('definition.value_invalid', { key: [...path, 'modules'] }, message, hint);
    }
    checkPackages(variant, entry, path, report);
  }
  checkOrder(written, report);
}

const byArchKeys = [
  'packages',
  'exclude_packages',
  'exclude_modules',
  'multilib',
  'lookaside_repositories',
] as const;

function checkArches(
  value: ByArch | undefined,
  arches: readonly string[],
  path: FilePath,
  report: ReportProblem,
): void {
  if (value !== undefined && !isList(value)) checkArchKeys(Object.keys(value), arches, path, report);
}

function checkArchKeys(
  keys: readonly string[],
  arches: readonly string[],
  path: FilePath,
  report: ReportProblem,
): void {
  for (const key of keys) {
    if (key !== 'all' && !arches.includes(key)) {
      reportUnknown(report, [...path, key], 'There is no arch', key, [...arches, 'all']);
    }
  }
}

function checkPackages(
  { arches }: Variant,
  { packages }: VariantEntry | ChildEntry,
  path: FilePath,
  report: ReportProblem,
): void {
  for (const [key, list] of isList(packages) ? [['all', packages] as const] : Object.entries(packages)) {
    for (const [at, name] of list.entries()) {
      for (const arch of key === 'all' ? arches : [key]) {
        try {
          checkPackageArch(name, arch);
        } catch (error) {
          if (!(error instanceof ReactorError)) throw error;
          const place = [...path, 'packages', ...(isList(packages) ? [] : [key]), at];
          report('definition.value_invalid', place, `${error.message}.`, 'Name it for the arches that can.');
          break;
        }
      }
    }
  }
}

function checkOrder(written: readonly WrittenVariant[], report: ReportProblem): void {
  try {
    orderVariants(
      written.map((given) => given.variant),
      lookasidesOf(written),
    );
  } catch (error) {
    if (!(error instanceof ReactorError)) throw error;
    const first = written.find(({ entry }) => entry.lookaside.length > 0);
    const message = 'Variants serve each other as lookaside in a circle.';
    const place = [...(first?.path ?? []), 'lookaside'];
    report('definition.value_invalid', place, message, 'Take one of them out.');
  }
}

import type { FilePath, ReportProblem } from '../../model/file-problem.ts';
import { nearestWord } from '../../model/did-you-mean.ts';
import type { ByArch, ChildEntry, DefinitionFile, VariantEntry } from './definition-file-schema.ts';
import { isReservedUid, type Variant } from './variants.ts';

/** A variant as it is written, and where. */
export interface WrittenVariant {
  readonly variant: Variant;
  readonly entry: VariantEntry | ChildEntry;
  readonly path: FilePath;
}

/** Lists the variants of a definition, each followed by its children; reports what cannot be one. */
export function listVariants(file: DefinitionFile, report: ReportProblem): WrittenVariant[] {
  const found: WrittenVariant[] = [];
  const add = (
    id: string,
    entry: VariantEntry | ChildEntry,
    path: FilePath,
    parent: Variant | null = null,
  ): Variant => {
    const bound = parent?.arches ?? file.arches;
    const strange = (entry.arches ?? []).find((arch) => !bound.includes(arch));
    if (strange !== undefined) {
      const of = parent === null ? 'the top' : parent.uid;
      reportUnknown(report, [...path, 'arches'], `The arches of ${of} do not have`, strange, bound);
    }
    const uid = parent === null ? id : `${parent.uid}-${id}`;
    const children = 'children' in entry ? Object.keys(entry.children) : [];
    const variant: Variant = {
      id,
      name: entry.name ?? id,
      uid,
      type: 'type' in entry ? entry.type : 'variant',
      arches: [...new Set(entry.arches ?? bound)].sort(),
      groups: entry.groups.map((group) =>
        typeof group === 'string'
          ? { name: group, isGlob: false, isDefault: null, isUservisible: null }
          : {
              name: group.id,
              isGlob: group.glob,
              isDefault: group.default ?? null,
              isUservisible: group.uservisible ?? null,
            },
      ),
      environments: entry.environments.map((environment) =>
        typeof environment === 'string'
          ? { name: environment, displayOrder: null }
          : { name: environment.id, displayOrder: environment.display_order },
      ),
      modules: entry.modules ?? (entry.module_tags.length > 0 ? [] : null),
      moduleTags: entry.module_tags,
      isEmpty: entry.empty,
      buildinstallPackages: [],
      release: 'release' in entry ? (entry.release ?? null) : null,
      parent: parent?.uid ?? null,
      children: children.map((child) => `${uid}-${child}`),
    };
    const isLayered = variant.type === 'layered-product';
    if (isLayered !== (variant.release !== null)) {
      const message = isLayered
        ? `The layered product ${uid} has no release.`
        : `Only layered products have a release of their own, and ${uid} is none.`;
      report('definition.value_invalid', path, message);
    }
    if (parent?.id === id) {
      report('definition.value_invalid', path, `The child ${uid} is called as its parent.`, 'Rename it.');
    }
    if (isReservedUid(uid)) {
      report('definition.value_invalid', path, `The variant ${uid} has the path of metadata.`, 'Rename it.');
    }
    if (found.some((earlier) => earlier.variant.uid === uid)) {
      report('definition.value_invalid', path, `There are two variants ${uid}.`, 'Rename one of them.');
    }
    found.push({ variant, entry, path });
    return variant;
  };
  for (const [id, entry] of Object.entries(file.variants)) {
    const path = ['variants', id];
    const parent = add(id, entry, path);
    for (const [childId, child] of Object.entries(entry.children)) {
      add(childId, child, [...path, 'children', childId], parent);
    }
  }
  return found;
}

/** Reports a name that nothing has, with the nearest of those that there are. */
export function reportUnknown(
  report: ReportProblem,
  path: FilePath,
  start: string,
  name: string,
  known: Iterable<string>,
): void {
  const list = [...known];
  const near = nearestWord(name, list);
  const message = `${start} "${name}"${near === null ? '.' : `; did you mean "${near}"?`}`;
  const hint = list.length === 0 ? undefined : `There are: ${list.slice(0, 30).join(', ')}.`;
  report('definition.name_unknown', path, message, hint);
}

/** Lists the lookasides among variants, as they are written. */
export function lookasidesOf(written: readonly WrittenVariant[]): [string, string][] {
  return written.flatMap(({ variant, entry }) =>
    entry.lookaside.map((provider): [string, string] => [variant.uid, provider]),
  );
}

/** Whether a value counts for all arches. */
export function isList<Item>(value: ByArch<Item>): value is readonly Item[] {
  return Array.isArray(value);
}

/** Returns the entries of an arch, then those of all. */
export function listOfArch<Item>(value: ByArch<Item>, arch: string): readonly Item[] {
  return isList(value) ? value : [...(value[arch] ?? []), ...(value['all'] ?? [])];
}

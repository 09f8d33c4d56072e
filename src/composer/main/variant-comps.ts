import { ReactorError } from '../../model/errors.ts';
import { matchNamePattern } from '../../model/name-pattern.ts';
import {
  compsOfTree,
  idOf,
  type CompsDocument,
  type CompsEnvironment,
  type DescribedGroup,
} from '../../rpm/comps-document.ts';
import { attributeOf, childrenOf, readXmlTree, type XmlNode } from '../../rpm/xml-tree.ts';
import type { Variant, VariantGroup } from './variants.ts';

/**
 * Reads the comps file of a whole compose. Throws `main.comps_invalid` with the words of the reference composer.
 * Source: main compose contract 4, step 1.
 */
export function readGlobalComps(bytes: Uint8Array, where: string): XmlNode {
  let root: XmlNode;
  try {
    root = readXmlTree(bytes, where);
  } catch (cause) {
    throw new ReactorError('main.comps_invalid', 'Fatal parser error', { where, cause });
  }
  if (root.name !== 'comps') throw new ReactorError('main.comps_invalid', 'Fatal parser error', { where });
  const faults: string[] = [];
  for (const group of childrenOf(root, 'group')) {
    for (const { text } of childrenOf(group, 'packagelist').flatMap((list) =>
      childrenOf(list, 'packagereq'),
    )) {
      if (text === text.trim()) continue;
      const place = `Package name ${text.trim()} in group '${idOf(group)}'`;
      faults.push(`${place} contains leading or trailing whitespace`);
    }
  }
  if (faults.length === 0) return root;
  throw new ReactorError('main.comps_invalid', `Comps file contains errors:\n${faults.join('\n')}`, {
    where,
  });
}

const FILTERED_BY_ARCH = new Set(['packagereq', 'group', 'environment']);

/** Whether an attribute that lists names has one of them, or is missing. */
function isListed(node: XmlNode, attribute: string, name: string): boolean {
  const list = attributeOf(node, attribute);
  return list === null || list.split(/[,\s]+/).includes(name);
}

function withoutAttribute(node: XmlNode, attribute: string): XmlNode {
  if (!Object.hasOwn(node.attributes, attribute)) return node;
  const { [attribute]: _dropped, ...attributes } = node.attributes;
  return { ...node, attributes };
}

function filterBy(node: XmlNode, attribute: 'arch' | 'variant', name: string): XmlNode {
  const children = node.children
    .filter((child) => !FILTERED_BY_ARCH.has(child.name) || isListed(child, attribute, name))
    .map((child) => {
      const kept = FILTERED_BY_ARCH.has(child.name) ? withoutAttribute(child, attribute) : child;
      return filterBy(kept, attribute, name);
    });
  return { ...node, children };
}

/** The comps file of an arch: what is not for it left out. Source: main compose contract 4, step 2. */
export function compsOfArch(root: XmlNode, arch: string): XmlNode {
  return filterBy(root, 'arch', arch);
}

/** What a variant takes of comps beside what it is itself. */
export interface VariantCompsOptions {
  readonly arch: string;
  /** Groups of the parent and of variants that serve as lookaside: environments may name them. */
  readonly lookasideGroups: readonly VariantGroup[];
  /** The option `comps_filter_environments`. */
  readonly isFilteringEnvironments: boolean;
}

export interface VariantComps {
  readonly comps: CompsDocument;
  readonly warnings: readonly string[];
}

/** The comps of a variant and arch, from those of the whole compose. Source: main compose contract 4, steps 3 to 5. */
export function compsOfVariant(root: XmlNode, variant: Variant, options: VariantCompsOptions): VariantComps {
  const { arch } = options;
  const own = filterBy(filterBy(root, 'arch', arch), 'variant', variant.uid);
  const cleaned = compsOfTree(cleanUp(own, variant, options));
  const warnings: string[] = [];
  let { groups, environments } = cleaned;
  const isFiltered =
    variant.groups.length > 0 || (variant.modules?.length ?? 0) > 0 || variant.moduleTags.length > 0;
  if (isFiltered || variant.type !== 'variant') {
    const chosen = chooseGroups(groups, variant);
    groups = chosen.groups;
    for (const name of chosen.unmatched) {
      const what = `Variant ${variant.uid}.${arch} requires comps group ${name}`;
      warnings.push(`${what} which does not match anything in input comps file`);
    }
  }
  const hasOwn = variant.groups.length > 0 || variant.environments.length > 0;
  if (options.isFilteringEnvironments && hasOwn) environments = chooseEnvironments(environments, variant);
  return { comps: { ...cleaned, groups, environments }, warnings };
}

function cleanUp(root: XmlNode, variant: Variant, options: VariantCompsOptions): XmlNode {
  const spared = new Set(['conflicts', `conflicts-${variant.uid.toLowerCase()}`]);
  const hasPackages = (group: XmlNode): boolean =>
    childrenOf(group, 'packagelist').some((list) => childrenOf(list, 'packagereq').length > 0);
  const kept = root.children.filter(
    (child) => child.name !== 'group' || hasPackages(child) || spared.has(idOf(child)),
  );
  const groups = new Set(kept.filter(({ name }) => name === 'group').map(idOf));
  const isLookaside = matchAny(options.lookasideGroups);
  const children = kept.flatMap((child) => {
    if (child.name === 'category') return withGroups(child, (entry) => groups.has(entry.text.trim()));
    if (child.name !== 'environment') return child;
    return withGroups(child, (entry) => {
      const id = entry.text.trim();
      return (groups.has(id) || isLookaside(id)) && isListed(entry, 'arch', options.arch);
    });
  });
  return { ...root, children };
}

/** A category or environment with the entries of its list that are wanted; nothing when none is left. */
function withGroups(node: XmlNode, isWanted: (entry: XmlNode) => boolean): XmlNode[] {
  const children = node.children.map((child) =>
    child.name === 'grouplist'
      ? { ...child, children: child.children.filter((entry) => entry.name !== 'groupid' || isWanted(entry)) }
      : child,
  );
  const isLeft = children.some(
    (child) => child.name === 'grouplist' && childrenOf(child, 'groupid').length > 0,
  );
  return isLeft ? [{ ...node, children }] : [];
}

function matcherOf({ name, isGlob }: VariantGroup): (id: string) => boolean {
  return isGlob ? matchNamePattern(name) : (id) => id === name;
}

function matchAny(groups: readonly VariantGroup[]): (id: string) => boolean {
  const matchers = groups.map(matcherOf);
  return (id) => matchers.some((isMatch) => isMatch(id));
}

function chooseGroups(
  groups: readonly DescribedGroup[],
  variant: Variant,
): { readonly groups: DescribedGroup[]; readonly unmatched: string[] } {
  const entries = variant.groups
    .toSorted((a, b) => (a.name < b.name ? -1 : 1))
    .map((entry) => ({ entry, isMatch: matcherOf(entry) }));
  const used = new Set<VariantGroup>();
  const chosen = groups.flatMap((group) => {
    for (const { entry, isMatch } of entries) if (isMatch(group.id)) used.add(entry);
    const first = entries.find(({ isMatch }) => isMatch(group.id))?.entry;
    if (first === undefined) return [];
    return {
      ...group,
      isDefault: first.isDefault ?? group.isDefault,
      isUservisible: first.isUservisible ?? group.isUservisible,
    };
  });
  const unmatched = entries.filter(({ entry }) => !used.has(entry)).map(({ entry }) => entry.name);
  return { groups: chosen, unmatched };
}

function chooseEnvironments(environments: readonly CompsEnvironment[], variant: Variant): CompsEnvironment[] {
  const wanted = new Map(
    variant.environments.map((environment) => [environment.name, environment.displayOrder]),
  );
  return environments
    .filter(({ id }) => wanted.has(id))
    .map((environment) => ({
      ...environment,
      displayOrder: wanted.get(environment.id) ?? environment.displayOrder,
    }));
}

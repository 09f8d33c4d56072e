import { messageOf, ReactorError } from '../../model/errors.ts';
import { hasControlCharacter, isName } from '../../model/names.ts';
import { attributeOf, childOf, childrenOf, readXmlTree, type XmlNode } from '../../rpm/xml-tree.ts';
import { reprOfValue } from './config-value.ts';
import { findBlankFaults, findGrammarFaults } from './variants-grammar.ts';
import { isReservedUid, isTreeArch, type Variant, type VariantType, type Variants } from './variants.ts';

export interface VariantsOptions {
  /** Path of the file as errors name it. */
  readonly where: string;
  /** Only these arches; all when empty. */
  readonly treeArches: readonly string[];
  /** Only variants of these uids; all when empty. */
  readonly treeVariants: readonly string[];
}

interface Reading {
  readonly options: VariantsOptions;
  /** Addons and layered products at the top, for references. */
  readonly referable: ReadonlyMap<string, XmlNode>;
  readonly variants: Map<string, Variant>;
}

/**
 * Reads a variants file. Throws `main.variants_invalid` with the words of the reference composer.
 * Source: main compose contract 3.
 */
export function readVariants(bytes: Uint8Array, options: VariantsOptions): Variants {
  let root: XmlNode;
  try {
    root = readXmlTree(bytes, options.where);
  } catch (error) {
    throw notValid([messageOf(error)], options.where);
  }
  const faults = findGrammarFaults(root, options.where);
  if (faults.length > 0) throw notValid(faults, options.where);
  const blanks = findBlankFaults(root);
  if (blanks.length > 0) throw notValid(blanks, options.where);
  const top = childrenOf(root, 'variant');
  const isReferred = (node: XmlNode): boolean => ['addon', 'layered-product'].includes(typeOf(node));
  const referable = new Map(top.filter(isReferred).map((node) => [attributeOf(node, 'id') ?? '', node]));
  const reading: Reading = { options, referable, variants: new Map() };
  for (const node of top) if (!isReferred(node)) readVariant(reading, node);
  const { treeVariants } = options;
  if (treeVariants.length === 0) return reading.variants;
  const kept = new Set(treeVariants);
  return new Map(
    [...reading.variants]
      .filter(([uid, { parent }]) => kept.has(uid) && (parent === null || kept.has(parent)))
      .map(([uid, variant]) => [
        uid,
        { ...variant, children: variant.children.filter((child) => kept.has(child)) },
      ]),
  );
}

/** Reads a variant and what lies below it; returns its uid, null when none of its arches is left. */
function readVariant(reading: Reading, node: XmlNode, parent: Variant | null = null): string | null {
  const { options, variants } = reading;
  const id = attributeOf(node, 'id') ?? '';
  const uid = parent === null ? id : `${parent.uid}-${id}`;
  if (!isName('variant', id)) throw fault(`${reprOfValue(id)} cannot be a variant.`, options.where);
  if (parent === null && isReservedUid(uid))
    throw fault(`Variant ${uid} has the path of metadata.`, options.where, RENAME);
  checkTexts(node, uid, options.where);
  const arches = archesOf(node, uid, parent, options);
  if (arches.length === 0) return null;
  if (parent?.id === id) throw fault(`Variant ${uid} has the id of its parent.`, options.where);
  if (variants.has(uid)) throw taken(uid, options.where);
  const modules = childOf(node, 'modules');
  const made: Variant = {
    ...emptyVariant(id, attributeOf(node, 'name') ?? '', uid, typeOf(node), arches, parent),
    groups: childrenOf(node, 'groups').flatMap((groups) =>
      groups.children.map((group) => ({
        name: group.text,
        isGlob: attributeOf(group, 'glob') === 'true',
        isDefault: flagOf(group, 'default'),
        isUservisible: flagOf(group, 'uservisible'),
      })),
    ),
    environments: childrenOf(node, 'environments').flatMap(({ children }) =>
      children.map((environment) => {
        const order = attributeOf(environment, 'display_order');
        return { name: environment.text, displayOrder: order === null ? null : Number(order) };
      }),
    ),
    modules: modules === undefined ? null : childrenOf(modules, 'module').map(({ text }) => text),
    moduleTags: modules === undefined ? [] : childrenOf(modules, 'kojitag').map(({ text }) => text),
    isEmpty: attributeOf(node, 'is_empty') !== null,
    buildinstallPackages: childrenOf(node, 'buildinstallpackages').flatMap(({ children }) =>
      children.map(({ text }) => text),
    ),
    release: releaseOf(node),
  };
  if (made.type === 'layered-product' && made.release === null) {
    throw fault(`Layered product ${uid} has no release.`, options.where);
  }
  variants.set(uid, made);
  const children = childrenOf(node, 'variants').flatMap((list) => readChildren(reading, list, made));
  if (attributeOf(node, 'has_optional') === 'true') {
    const hasOne = children.some((child) => variants.get(child)?.type === 'optional');
    if (!hasOne) {
      const optional = emptyVariant('optional', 'optional', `${uid}-optional`, 'optional', arches, made);
      if (variants.has(optional.uid)) throw taken(optional.uid, options.where);
      variants.set(optional.uid, optional);
      children.push(optional.uid);
    }
  }
  variants.set(uid, { ...made, children });
  return uid;
}

function readChildren(reading: Reading, list: XmlNode, parent: Variant): string[] {
  const found: string[] = [];
  for (const child of list.children) {
    let node: XmlNode | undefined = child;
    if (child.name === 'ref') {
      const id = attributeOf(child, 'id') ?? '';
      node = reading.referable.get(id);
      if (node === undefined) {
        throw fault(`Variant ${parent.uid} references non-existing variant ${id}`, reading.options.where);
      }
      if (parent.parent !== null) throw fault(`Variant ${id} lies below a child.`, reading.options.where);
    }
    const uid = readVariant(reading, node, parent);
    if (uid !== null) found.push(uid);
  }
  return found;
}

function emptyVariant(
  id: string,
  name: string,
  uid: string,
  type: VariantType,
  arches: readonly string[],
  parent: Variant | null,
): Variant {
  return {
    id,
    name,
    uid,
    type,
    arches,
    groups: [],
    environments: [],
    modules: null,
    moduleTags: [],
    isEmpty: false,
    buildinstallPackages: [],
    release: null,
    parent: parent?.uid ?? null,
    children: [],
  };
}

/** The arches that are left of a variant; those of its parent bound them. */
function archesOf(node: XmlNode, uid: string, parent: Variant | null, options: VariantsOptions): string[] {
  const { treeArches, where } = options;
  const own = childrenOf(node, 'arches').flatMap(({ children }) => children.map(({ text }) => text));
  const bad = own.find((arch) => !isName('arch', arch));
  if (bad !== undefined) throw fault(`${reprOfValue(bad)} cannot be an arch.`, where);
  const strange = own.find((arch) => !isTreeArch(arch));
  if (strange !== undefined) {
    const hint = 'The tree of sources is made anyway; name arches of machines.';
    throw fault(`${uid} cannot have trees of the arch ${strange}.`, where, hint);
  }
  const kept = [...new Set(own)]
    .filter((arch) => treeArches.length === 0 || treeArches.includes(arch))
    .sort();
  if (parent === null || kept.length === 0) return kept;
  const shared = kept.filter((arch) => parent.arches.includes(arch));
  if (shared.length > 0) return shared;
  throw fault(
    `${uid}: arch list ${reprOfValue(kept)} does not intersect with parent arch list: ${reprOfValue(parent.arches)}`,
    where,
  );
}

function typeOf(node: XmlNode): VariantType {
  const type = attributeOf(node, 'type');
  if (type === 'addon' || type === 'optional' || type === 'layered-product') return type;
  return 'variant';
}

function flagOf(node: XmlNode, name: string): boolean | null {
  const text = attributeOf(node, name);
  return text === null ? null : text === 'true';
}

function releaseOf(node: XmlNode): Variant['release'] {
  const release = childOf(node, 'release');
  if (release === undefined) return null;
  const part = (name: string): string => attributeOf(release, name) ?? '';
  return { name: part('name'), short: part('short'), version: part('version') };
}

function notValid(faults: readonly string[], where: string): ReactorError {
  return fault(`Variants XML doesn't validate:\n${faults.join('\n')}`, where);
}

const RENAME = 'Rename it.';

/** Source: main compose contract 3, the first words. */
function taken(uid: string, where: string): ReactorError {
  const hint = 'Rename one of them; a child is called after its parent, PARENT-ID.';
  return fault(`Variant ID already exists: ${uid}`, where, hint);
}

/** Refuses texts that would begin another line of `.treeinfo`, `.discinfo` or `media.repo`. */
function checkTexts(node: XmlNode, uid: string, where: string): void {
  const { name, short, version } = releaseOf(node) ?? { name: '', short: '', version: '' };
  for (const text of [attributeOf(node, 'name') ?? '', name, short, version]) {
    if (hasControlCharacter(text)) {
      throw fault(`A name of variant ${uid} has a line break or another control character.`, where, RENAME);
    }
  }
}

function fault(sentence: string, where: string, hint?: string): ReactorError {
  return new ReactorError('main.variants_invalid', sentence, {
    where,
    ...(hint === undefined ? {} : { hint }),
  });
}

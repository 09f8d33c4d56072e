import { ReactorError } from '../model/errors.ts';
import type { Comps, CompsGroup, CompsLangpack, PackageRequest, PackageRequestType } from './comps.ts';
import { attributeOf, childOf, childrenOf, type XmlNode } from './xml-tree.ts';

/** A text, and what it is in other languages by `xml:lang`. */
export interface LocalizedText {
  readonly text: string;
  readonly translations: ReadonlyMap<string, string>;
}

/** A group with all that comps says of it. */
export interface DescribedGroup extends CompsGroup {
  readonly name: LocalizedText;
  readonly description: LocalizedText;
  readonly isDefault: boolean;
  readonly isUservisible: boolean;
  readonly langonly: string | null;
}

export interface CompsCategory {
  readonly id: string;
  readonly name: LocalizedText;
  readonly description: LocalizedText;
  readonly displayOrder: number | null;
  readonly groups: readonly string[];
}

/** A group that an environment offers beside its own. */
export interface OptionalGroup {
  readonly id: string;
  readonly isDefault: boolean;
}

export interface CompsEnvironment extends CompsCategory {
  readonly groupEntries: readonly OptionalGroup[];
  readonly options: readonly OptionalGroup[];
}

/** A whole comps file. */
export interface CompsDocument extends Comps {
  readonly groups: readonly DescribedGroup[];
  readonly categories: readonly CompsCategory[];
  readonly environments: readonly CompsEnvironment[];
  readonly langpacks: readonly CompsLangpack[];
}

const types: Readonly<Record<string, PackageRequestType>> = {
  mandatory: 'mandatory',
  default: 'default',
  optional: 'optional',
  conditional: 'conditional',
};

/**
 * Returns what a comps file says; what is not part of comps is left out. Of several langpacks of a name the last
 * counts. Throws `comps.package_type`. Source: main compose contract 4.
 */
export function compsOfTree(root: XmlNode): CompsDocument {
  const langpacks = new Map<string, CompsLangpack>();
  for (const list of childrenOf(root, 'langpacks')) {
    for (const match of childrenOf(list, 'match')) {
      const name = attributeOf(match, 'name');
      const install = attributeOf(match, 'install');
      if (name !== null && install !== null) langpacks.set(name, { name, install });
    }
  }
  return {
    groups: childrenOf(root, 'group').map(groupOf),
    categories: childrenOf(root, 'category').map(categoryOf),
    environments: childrenOf(root, 'environment').map(environmentOf),
    langpacks: [...langpacks.values()],
  };
}

/** The id of a group, category or environment. */
export function idOf(node: XmlNode): string {
  return textOf(node, 'id');
}

function textOf(node: XmlNode, name: string): string {
  return childOf(node, name)?.text.trim() ?? '';
}

function localized(node: XmlNode, name: string): LocalizedText {
  let text = '';
  const translations = new Map<string, string>();
  for (const child of childrenOf(node, name)) {
    const language = attributeOf(child, 'xml:lang');
    if (language === null) text = child.text.trim();
    else translations.set(language, child.text.trim());
  }
  return { text, translations };
}

function groupOf(node: XmlNode): DescribedGroup {
  const id = idOf(node);
  const uservisible = textOf(node, 'uservisible');
  return {
    id,
    name: localized(node, 'name'),
    description: localized(node, 'description'),
    isDefault: textOf(node, 'default').toLowerCase() === 'true',
    isUservisible: uservisible === '' || uservisible.toLowerCase() === 'true',
    langonly: textOf(node, 'langonly') || null,
    packages: childrenOf(node, 'packagelist').flatMap((list) =>
      childrenOf(list, 'packagereq').map((entry) => requestOf(entry, id)),
    ),
  };
}

function requestOf(node: XmlNode, group: string): PackageRequest {
  const name = node.text.trim();
  const given = attributeOf(node, 'type') ?? 'mandatory';
  const type = Object.hasOwn(types, given) ? types[given] : undefined;
  if (type === undefined) {
    throw new ReactorError(
      'comps.package_type',
      `Failed to process comps file. Package ${name} in group ${group} has unknown type`,
      { hint: 'Types are mandatory, default, optional and conditional.' },
    );
  }
  const requires = attributeOf(node, 'requires');
  return { name, type, requires: requires ?? (type === 'conditional' ? '' : null) };
}

function categoryOf(node: XmlNode): CompsCategory {
  const order = textOf(node, 'display_order');
  return {
    id: idOf(node),
    name: localized(node, 'name'),
    description: localized(node, 'description'),
    displayOrder: /^-?\d+$/.test(order) ? Number(order) : null,
    groups: groupEntriesOf(node, 'grouplist').map(({ id }) => id),
  };
}

function groupEntriesOf(node: XmlNode, list: string): OptionalGroup[] {
  return childrenOf(node, list).flatMap((entries) =>
    childrenOf(entries, 'groupid').map((entry) => ({
      id: entry.text.trim(),
      isDefault: attributeOf(entry, 'default') === 'true',
    })),
  );
}

function environmentOf(node: XmlNode): CompsEnvironment {
  return {
    ...categoryOf(node),
    groupEntries: groupEntriesOf(node, 'grouplist'),
    options: groupEntriesOf(node, 'optionlist'),
  };
}

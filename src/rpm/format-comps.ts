import type {
  CompsCategory,
  CompsDocument,
  CompsEnvironment,
  DescribedGroup,
  LocalizedText,
  OptionalGroup,
} from './comps-document.ts';
import type { PackageRequest } from './comps.ts';
import { escapeXml } from './repodata/escape-xml.ts';
import type { XmlNode } from './xml-tree.ts';

const HEAD = `<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE comps
  PUBLIC '-//Red Hat, Inc.//DTD Comps info//EN'
  'comps.dtd'>
`;
const TREE_HEAD = `<?xml version='1.0' encoding='UTF-8'?>
<!DOCTYPE comps PUBLIC "-//Red Hat, Inc.//DTD Comps info//EN" "comps.dtd">
`;

type Attributes = readonly (readonly [name: string, value: string])[];

/** The lines of a document, with their indentation. */
class Lines {
  readonly lines: string[] = [];
  #depth = 0;

  text(name: string, text: string, attributes: Attributes = []): void {
    const body = text === '' ? '/>' : `>${escapeXml(text)}</${name}>`;
    this.lines.push(`${this.#indent()}<${name}${attributesText(attributes)}${body}`);
  }

  element(name: string, addChildren: () => void): void {
    const at = this.lines.length;
    this.lines.push('');
    this.#depth += 1;
    addChildren();
    this.#depth -= 1;
    if (this.lines.length === at + 1) this.lines[at] = `${this.#indent()}<${name}/>`;
    else {
      this.lines[at] = `${this.#indent()}<${name}>`;
      this.lines.push(`${this.#indent()}</${name}>`);
    }
  }

  #indent(): string {
    return '  '.repeat(this.#depth);
  }
}

function attributesText(attributes: Attributes): string {
  return attributes.map(([name, value]) => ` ${name}="${escapeXml(value)}"`).join('');
}

const packageOrder = { mandatory: 0, default: 1, optional: 2, conditional: 3 } as const;

/**
 * Writes a comps file in the order and form of the reference composer: groups and environments by id, packages by
 * type and name. Source: main compose contract 4, step 6.
 */
export function formatCompsDocument(comps: CompsDocument): string {
  const lines = new Lines();
  lines.element('comps', () => {
    for (const group of sortBy(comps.groups, ({ id }) => id)) addGroup(lines, group);
    const known = new Set(comps.groups.map(({ id }) => id));
    for (const category of comps.categories) addCategory(lines, category, known);
    for (const environment of sortBy(comps.environments, ({ id }) => id)) addEnvironment(lines, environment);
    if (comps.langpacks.length === 0) return;
    lines.element('langpacks', () => {
      for (const { name, install } of sortBy(comps.langpacks, (langpack) => langpack.name)) {
        lines.text('match', '', [
          ['install', install],
          ['name', name],
        ]);
      }
    });
  });
  return `${HEAD}${lines.lines.join('\n')}\n`;
}

function addGroup(lines: Lines, group: DescribedGroup): void {
  lines.element('group', () => {
    addHead(lines, group);
    lines.text('default', String(group.isDefault));
    lines.text('uservisible', String(group.isUservisible));
    if (group.langonly !== null) lines.text('langonly', group.langonly);
    lines.element('packagelist', () => {
      const packages = sortBy(group.packages, ({ type, name }) => `${packageOrder[type]}${name}`);
      for (const wanted of packages) lines.text('packagereq', wanted.name, requestAttributes(wanted));
    });
  });
}

function requestAttributes({ type, requires }: PackageRequest): Attributes {
  const own = ['type', type] as const;
  return requires === null ? [own] : [['requires', requires], own];
}

function addHead(
  lines: Lines,
  described: { readonly id: string; readonly name: LocalizedText; readonly description: LocalizedText },
): void {
  lines.text('id', described.id);
  for (const tag of ['name', 'description'] as const) {
    lines.text(tag, described[tag].text);
    for (const [language, text] of sortBy([...described[tag].translations], ([key]) => key)) {
      lines.text(tag, text, [['xml:lang', language]]);
    }
  }
}

function addCategory(lines: Lines, category: CompsCategory, known: ReadonlySet<string>): void {
  const groups = category.groups.filter((id) => known.has(id)).map((id) => ({ id, isDefault: false }));
  if (groups.length === 0) return;
  lines.element('category', () => {
    addHead(lines, category);
    if (category.displayOrder !== null) lines.text('display_order', String(category.displayOrder));
    addGroupList(lines, 'grouplist', groups);
  });
}

function addEnvironment(lines: Lines, environment: CompsEnvironment): void {
  lines.element('environment', () => {
    addHead(lines, environment);
    if (environment.displayOrder !== null) lines.text('display_order', String(environment.displayOrder));
    addGroupList(lines, 'grouplist', environment.groupEntries);
    if (environment.options.length > 0) addGroupList(lines, 'optionlist', environment.options);
  });
}

function addGroupList(lines: Lines, tag: string, groups: readonly OptionalGroup[]): void {
  lines.element(tag, () => {
    for (const { id, isDefault } of sortBy(groups, (group) => group.id)) {
      lines.text('groupid', id, isDefault ? [['default', 'true']] : []);
    }
  });
}

function sortBy<T>(list: readonly T[], keyOf: (item: T) => string): T[] {
  return list.toSorted((a, b) => (keyOf(a) < keyOf(b) ? -1 : keyOf(a) > keyOf(b) ? 1 : 0));
}

/** Writes a comps file as it was read: its elements in their order, with all their attributes. */
export function formatCompsTree(root: XmlNode): string {
  const lines: string[] = [];
  const escape = (text: string): string =>
    text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
  const add = (node: XmlNode, indent: string): void => {
    const head = `${indent}<${node.name}${attributesText(Object.entries(node.attributes))}`;
    if (node.children.length > 0) {
      lines.push(`${head}>`);
      for (const child of node.children) add(child, `${indent}  `);
      lines.push(`${indent}</${node.name}>`);
    } else lines.push(node.text === '' ? `${head}/>` : `${head}>${escape(node.text)}</${node.name}>`);
  };
  add(root, '');
  return `${TREE_HEAD}${lines.join('\n')}\n`;
}

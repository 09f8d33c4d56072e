import type { XmlNode } from '../../rpm/xml-tree.ts';

/** What an element of a variants file may hold. */
interface ElementGrammar {
  /** The content as the document type writes it. */
  readonly content: string;
  /** The names of the children, each followed by a blank; null for an element of text. */
  readonly children: RegExp | null;
  readonly attributes: Readonly<Record<string, AttributeGrammar>>;
}

interface AttributeGrammar {
  readonly isRequired: boolean;
  readonly values: readonly string[] | null;
}

const required: AttributeGrammar = { isRequired: true, values: null };
const free: AttributeGrammar = { isRequired: false, values: null };
const flag: AttributeGrammar = { isRequired: false, values: ['true', 'false'] };

function textElement(attributes: ElementGrammar['attributes'] = {}): ElementGrammar {
  return { content: '(#PCDATA)', children: null, attributes };
}

function listElement(child: string): ElementGrammar {
  return { content: `(${child})+`, children: new RegExp(`^(?:${child} )+$`), attributes: {} };
}

const grammar: Readonly<Record<string, ElementGrammar>> = {
  variants: { content: '(ref* , variant*)', children: /^(?:ref )*(?:variant )*$/, attributes: {} },
  variant: {
    content: '(release? , arches , groups? , environments* , variants* , buildinstallpackages? , modules?)',
    children:
      /^(?:release )?arches (?:groups )?(?:environments )*(?:variants )*(?:buildinstallpackages )?(?:modules )?$/,
    attributes: {
      id: required,
      name: required,
      type: { isRequired: true, values: ['variant', 'addon', 'optional', 'layered-product'] },
      has_optional: flag,
      is_empty: flag,
    },
  },
  ref: { content: 'EMPTY', children: /^$/, attributes: { id: required } },
  release: {
    content: 'EMPTY',
    children: /^$/,
    attributes: { name: required, short: required, version: required },
  },
  arches: listElement('arch'),
  arch: textElement(),
  groups: listElement('group'),
  group: textElement({ default: flag, uservisible: flag, glob: flag }),
  environments: listElement('environment'),
  environment: textElement({ display_order: free }),
  buildinstallpackages: listElement('package'),
  package: textElement(),
  modules: { content: '(module* , kojitag*)', children: /^(?:module )*(?:kojitag )*$/, attributes: {} },
  module: textElement({ glob: flag }),
  kojitag: textElement(),
};

const trimmed = new Set(['arch', 'environment', 'group', 'kojitag', 'module', 'name', 'package']);

/**
 * Finds what a variants file has that its document type does not allow, worded as libxml2 words it. `where` is its
 * path as errors name it. Source: main compose contract 3.
 */
export function findGrammarFaults(root: XmlNode, where: string): string[] {
  const faults: string[] = [];
  const visit = (node: XmlNode): void => {
    const report = (code: string, sentence: string): void => {
      faults.push(`${where}:${node.line}:0:ERROR:VALID:${code}: ${sentence}`);
    };
    const rule = Object.hasOwn(grammar, node.name) ? grammar[node.name] : undefined;
    if (rule === undefined) {
      report('DTD_UNKNOWN_ELEM', `No declaration for element ${node.name}`);
      return;
    }
    for (const [name, value] of Object.entries(node.attributes)) {
      const attribute = Object.hasOwn(rule.attributes, name) ? rule.attributes[name] : undefined;
      if (attribute === undefined) {
        report('DTD_UNKNOWN_ATTRIBUTE', `No declaration for attribute ${name} of element ${node.name}`);
      } else if (attribute.values?.includes(value) === false) {
        const what = `Value "${value}" for attribute ${name} of ${node.name}`;
        report('DTD_ATTRIBUTE_VALUE', `${what} is not among the enumerated set`);
      }
    }
    const names = node.children.map((child) => child.name);
    if (rule.children?.test(names.map((name) => `${name} `).join('')) === false) {
      const got = `Element ${node.name} content does not follow the DTD, expecting ${rule.content}, got (${names.join(' ')})`;
      report('DTD_CONTENT_MODEL', got);
    } else if (rule.children === null && names.length > 0) {
      report(
        'DTD_INVALID_CHILD',
        `Element ${names[0]} is not declared in ${node.name} list of possible children`,
      );
    }
    for (const [name, { isRequired }] of Object.entries(rule.attributes)) {
      if (isRequired && !Object.hasOwn(node.attributes, name)) {
        report('DTD_MISSING_ATTRIBUTE', `Element ${node.name} does not carry attribute ${name}`);
      }
    }
    for (const child of node.children) visit(child);
  };
  if (root.name !== 'variants') {
    faults.push(
      `${where}:${root.line}:0:ERROR:VALID:DTD_UNKNOWN_ELEM: No declaration for element ${root.name}`,
    );
  } else visit(root);
  return faults;
}

/** Finds texts with blanks round them. Source: main compose contract 3. */
export function findBlankFaults(root: XmlNode): string[] {
  const faults: string[] = [];
  const visit = (node: XmlNode): void => {
    if (trimmed.has(node.name) && node.text !== node.text.trim()) {
      faults.push(`Tag ${node.name} on line ${node.line} contains leading or trailing whitespace`);
    }
    for (const child of node.children) visit(child);
  };
  visit(root);
  return faults;
}

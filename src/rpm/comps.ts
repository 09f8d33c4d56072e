import { ReactorError } from '../model/errors.ts';
import { escapeXml } from './repodata/escape-xml.ts';
import { readXml } from './repodata/xml-elements.ts';
import { textOfXml } from './repodata/xml-encoding.ts';

export type PackageRequestType = 'mandatory' | 'default' | 'optional' | 'conditional';

/** One `<packagereq>` of a group. */
export interface PackageRequest {
  readonly name: string;
  readonly type: PackageRequestType;
  /** The package that a conditional one hangs on. */
  readonly requires: string | null;
}

export interface CompsGroup {
  readonly id: string;
  readonly packages: readonly PackageRequest[];
}

/** Packages (`install`, with `%s` for the language) that join a package of this name. */
export interface CompsLangpack {
  readonly name: string;
  readonly install: string;
}

/** What a compose asks of a comps file. */
export interface Comps {
  readonly groups: readonly CompsGroup[];
  readonly langpacks: readonly CompsLangpack[];
}

const types = new Set<string>(['mandatory', 'default', 'optional', 'conditional']);

function isType(text: string): text is PackageRequestType {
  return types.has(text);
}

/**
 * Reads groups and langpacks of a comps file. A packagereq of unknown or no type counts as mandatory. The document
 * type that comps files start with is passed over when it declares nothing. Throws `repodata.malformed`,
 * `repodata.entity`, `repodata.encoding`.
 */
export function parseComps(bytes: Uint8Array, where: string): Comps {
  const groups: CompsGroup[] = [];
  const langpacks: CompsLangpack[] = [];
  let group: { id: string; packages: PackageRequest[] } | null = null;
  let isComps = false;
  readXml(
    textOfXml(bytes, where),
    { where, documentType: 'passed over' },
    {
      open(name, _attributes, depth) {
        if (depth === 1) isComps = name === 'comps';
        if (name === 'group') group = { id: '', packages: [] };
      },
      close(name, { type = '', requires = null, name: match, install }, text) {
        const trimmed = text.trim();
        if (name === 'match' && match !== undefined && install !== undefined) {
          langpacks.push({ name: match, install });
        }
        if (group === null) return;
        if (name === 'id') group.id = trimmed;
        else if (name === 'packagereq' && trimmed !== '') {
          group.packages.push({ name: trimmed, type: isType(type) ? type : 'mandatory', requires });
        } else if (name === 'group') {
          groups.push(group);
          group = null;
        }
      },
    },
  );
  if (!isComps) throw new ReactorError('repodata.malformed', 'This is not a comps file.', { where });
  return { groups, langpacks };
}

/** What a group asks of a gather: every package but the conditional ones, and the conditions of those. */
export interface GroupInput {
  readonly packages: readonly string[];
  readonly conditionals: readonly { readonly trigger: string; readonly install: string }[];
}

/**
 * The input of some groups of a comps file: mandatory, default and optional packages alike. Throws
 * `comps.group_missing`. Source: pungi contract 1.4.
 */
export function inputOfGroups(comps: Comps, ids: readonly string[]): GroupInput {
  const packages: string[] = [];
  const conditionals: { trigger: string; install: string }[] = [];
  for (const id of ids) {
    const group = comps.groups.find((candidate) => candidate.id === id);
    if (group === undefined) {
      throw new ReactorError('comps.group_missing', `There is no group "${id}" in the comps.`, {
        hint: `Known groups: ${comps.groups.map((known) => known.id).join(', ') || 'none'}.`,
      });
    }
    for (const { name, type, requires } of group.packages) {
      if (type !== 'conditional') packages.push(name);
      else if (requires !== null) conditionals.push({ trigger: requires, install: name });
    }
  }
  return { packages, conditionals };
}

/**
 * Writes the comps file of a compose: the one group `odcs-group` of mandatory packages, or an empty `<comps/>`
 * when no packages were asked for. Source: pungi contract 0 and 4.8.
 */
export function formatComps(packages: readonly string[]): string {
  const head = '<?xml version="1.0" encoding="UTF-8"?>\n';
  if (packages.length === 0) return `${head}<comps/>\n`;
  const lines = packages.map((name) => `      <packagereq type="mandatory">${escapeXml(name)}</packagereq>`);
  return `${head}<comps>
  <group>
    <id>odcs-group</id>
    <name>odcs-group</name>
    <description>ODCS compose default group</description>
    <default>false</default>
    <uservisible>true</uservisible>
    <packagelist>
${lines.join('\n')}
    </packagelist>
  </group>
</comps>
`;
}

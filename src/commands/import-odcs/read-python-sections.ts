import { messageOf, ReactorError } from '../../model/errors.ts';
import { NoLiteral, readPythonLiteral, type LookUp, type PythonValue } from './python-literal.ts';
import { splitPythonLines, type PythonLine } from './python-lines.ts';

/** What a section of a Python configuration says under one name: a value, or why it is not read. */
export type PythonSetting = { readonly line: number } & (
  { readonly value: PythonValue } | { readonly unread: string }
);

type Names = Map<string, PythonSetting>;

interface Section {
  readonly bases: readonly string[];
  readonly names: Names;
}

const ASSIGNMENT = /^([A-Za-z_]\w*)\s*(?::[^=]+)?=(?!=)\s*/;

/**
 * Reads one class of a Python file of settings, with what it inherits, without running anything: literals, and names that
 * stand for such. Everything else is told as unread. Throws `import.section_unknown`.
 */
export function readPythonSection(source: string, name: string): ReadonlyMap<string, PythonSetting> {
  const top: Names = new Map();
  const sections = new Map<string, Section>();
  const lines = splitPythonLines(source);
  for (let at = 0; at < lines.length;) {
    const line = lines[at];
    if (line === undefined) break;
    const end = endOfBlock(lines, at);
    const [, title, bases = ''] = /^class\s+(\w+)\s*(?:\(([^)]*)\))?\s*:/.exec(line.text) ?? [];
    if (title !== undefined) {
      const names: Names = new Map();
      const lookUp = lookUpIn([names, top]);
      readBlock(lines.slice(at + 1, end), names, lookUp);
      sections.set(title, { bases: bases.split(',').map((base) => base.trim()), names });
    } else readBlock(lines.slice(at, end), top, lookUpIn([top]));
    at = end;
  }
  if (!sections.has(name)) {
    const known = [...sections.keys()].join(', ');
    throw new ReactorError('import.section_unknown', `There is no class ${name} in this configuration.`, {
      hint: known === '' ? 'It has no classes; is this the config.py of an ODCS?' : `It has: ${known}.`,
    });
  }
  const found: Names = new Map();
  inherit(sections, name, { found, seen: new Set() });
  return found;
}

/** Own names win over inherited ones, those of the first base over those of the next. */
function inherit(
  sections: ReadonlyMap<string, Section>,
  name: string,
  { found, seen }: { readonly found: Names; readonly seen: Set<string> },
): void {
  const section = sections.get(name);
  if (section === undefined || seen.has(name)) return;
  seen.add(name);
  for (const [key, setting] of section.names) if (!found.has(key)) found.set(key, setting);
  for (const base of section.bases) inherit(sections, base, { found, seen });
}

/** Returns where the statement at a place ends: before the next one that is not indented more. */
function endOfBlock(lines: readonly PythonLine[], at: number): number {
  const indent = lines[at]?.indent ?? 0;
  const next = lines.findIndex((line, index) => index > at && line.indent <= indent);
  return next < 0 ? lines.length : next;
}

function lookUpIn(scopes: readonly Names[]): LookUp {
  return (name) => {
    const found = scopes.find((scope) => scope.has(name))?.get(name);
    return found !== undefined && 'value' in found ? found.value : undefined;
  };
}

/** What is assigned below an `if` or `try` depends on the machine. */
function readBlock(lines: readonly PythonLine[], names: Names, lookUp: LookUp): void {
  const indent = lines[0]?.indent ?? 0;
  for (const { text, line, indent: own } of lines) {
    const match = ASSIGNMENT.exec(text);
    const [whole = '', name] = match ?? [];
    if (name === undefined) continue;
    if (own > indent) names.set(name, { line, unread: 'it depends on what runs before it' });
    else names.set(name, { line, ...read(text.slice(whole.length), lookUp) });
  }
}

function read(text: string, lookUp: LookUp): { value: PythonValue } | { unread: string } {
  try {
    return { value: readPythonLiteral(text, lookUp) };
  } catch (error) {
    if (error instanceof NoLiteral) return { unread: messageOf(error) };
    throw error;
  }
}

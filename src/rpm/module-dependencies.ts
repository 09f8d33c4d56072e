import { readDependencies, readModuleStream, type ModuleDependencies } from './modulemd.ts';
import { readTextYaml } from './modulemd-yaml.ts';

/**
 * The dependencies of a module, read without parsing the rest of its document: resolving asks for nothing else, and a
 * document is mostly components. A document in another shape than MBS and libmodulemd write is parsed whole. Throws the
 * codes of `readModuleStream`.
 */
export function readModuleDependencies(file: string, where: string): readonly ModuleDependencies[] {
  const section = findSection(file);
  if (section === null) return readModuleStream(file, where).dependencies;
  if (section === '') return [];
  const value = readTextYaml(section, where);
  return readDependencies(value instanceof Map ? value.get('dependencies') : undefined, where);
}

/**
 * The lines of `dependencies` below `data`, empty where there are none, null where the document has another shape. In a
 * block mapping nothing but keys stands at the indentation of its keys, so the lines tell where the section ends.
 */
function findSection(file: string): string | null {
  const head = /^(?:---[ \t]*\n)?document: modulemd\nversion: [12]\ndata:[ \t]*\n( +)(?=\S)/.exec(file);
  const indent = head?.[1];
  if (head === null || indent === undefined) return null;
  const end = /^\.\.\.[ \t]*$/m.exec(file)?.index ?? file.length;
  const section: string[] = [];
  let isInside = false;
  let count = 0;
  for (let start = head[0].length - indent.length; start < end;) {
    const next = file.indexOf('\n', start);
    const stop = next < 0 ? end : next + 1;
    if (!isDeeper(file, start, indent.length)) {
      const line = file.slice(start, stop);
      const key = line.startsWith(indent)
        ? /^([A-Za-z_][\w-]*):(?:[ \t\r]|\n|$)/.exec(line.slice(indent.length))?.[1]
        : undefined;
      const isItem = line.startsWith(`${indent}- `) && isInside;
      if (key === undefined && !isItem && !/^['"]?[ \t\r]*\n?$/.test(line)) return null;
      if (key !== undefined) isInside = key === 'dependencies';
      if (key === 'dependencies') count += 1;
    }
    if (isInside) section.push(file.slice(start, stop));
    start = stop;
  }
  return count > 1 ? null : section.join('');
}

function isDeeper(file: string, start: number, indent: number): boolean {
  for (let at = start; at <= start + indent; at += 1) if (file.charCodeAt(at) !== 32) return false;
  return true;
}

import { globSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';

const root = join(import.meta.dirname, '..');

export interface Block {
  readonly file: string;
  readonly language: string;
  readonly text: string;
}

const pages = [join(root, 'README.md'), ...globSync(join(root, 'docs/*.md'))].toSorted();

/** Every page for readers. */
export const texts = pages.map((page) => ({ file: relative(root, page), text: readFileSync(page, 'utf8') }));

/** Everything between fences. */
export const blocks = texts.flatMap(({ file, text }) =>
  [...text.matchAll(/^```(\w*)\n(.*?)^```/gms)].map(([, language = '', body = '']): Block => ({
    file,
    language,
    text: body,
  })),
);

/** Returns the blocks of all pages that are marked with a language. */
/** Everything between fences. */
export const blocksOf = (language: string): readonly Block[] =>
  blocks.filter((block) => block.language === language);

/** Blocks without a language that are lines of a shell, by how they begin. */
const shellStart = /^(?:npm|npx|cp|curl|dnf|podman|odcs-reactor) (?!.*\(service\.)/;

/** What readers are to type into a shell. */
export const shells: readonly Block[] = [
  ...blocksOf('sh'),
  ...blocksOf('').filter(({ text }) => shellStart.test(text)),
  ...blocksOf('console').map((block) => ({
    ...block,
    text: [...block.text.matchAll(/^\$ (.*)$/gm)].map(([, line = '']) => line).join('\n'),
  })),
];

/** Splits a line of a shell into its commands of words, without comments, assignments and redirections. */
export function commandsOf(line: string): readonly (readonly string[])[] {
  if (/^\w+='[^']*'$/.test(line)) return [];
  const found: string[][] = [[]];
  for (const [, single, double, bare, operator] of line.matchAll(
    /\s*(?:'([^']*)'|"((?:[^"\\]|\\.)*)"|((?:[^\s'"|&;<>()#]|(?<=\S)#)+)|([|&;<>()]+|#.*))/gs,
  )) {
    if (operator?.startsWith('#')) break;
    if (operator !== undefined) found.push(operator.includes('>') || operator.includes('<') ? ['>'] : []);
    else found.at(-1)?.push(single ?? double?.replaceAll(/\\(["\\$`])/g, '$1') ?? bare ?? '');
  }
  return found
    .filter(([first]) => first !== '>')
    .map((words) => words.slice(words.findIndex((word) => !/^[A-Za-z_]+=/.test(word))))
    .filter(([first]) => first !== undefined && !/^[A-Za-z_]+=/.test(first));
}

/** One line as it stands on a page, with those that it goes on in. */
export interface ShellLine {
  readonly file: string;
  readonly text: string;
}

/** Every line of every shell. */
export const shellLines: readonly ShellLine[] = shells.flatMap(({ file, text }) =>
  text
    .replaceAll('\\\n', ' ')
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map((line) => ({ file, text: line })),
);

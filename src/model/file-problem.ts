import type { Document, LineCounter } from 'yaml';
import { isMap, isNode, isPair, isScalar } from 'yaml';

/** Something wrong in a file of ours: stable code, `file:line:column`, a sentence, what to do. */
export interface FileProblem {
  readonly code: string;
  readonly file: string;
  readonly line: number;
  readonly column: number;
  readonly message: string;
  readonly hint: string | null;
  /** Whether the file says that not everybody may read it. */
  readonly isPrivate?: true;
}

/** Path into a YAML file: keys and list positions. */
export type FilePath = readonly (string | number)[];

/** Notes a problem at a path of the file, at the key itself if `atKey`. */
export type ReportProblem = (
  code: string,
  place: FilePath | KeyPlace,
  message: string,
  hint?: string,
) => void;

/** The key that a path ends with, where that and not its value is what is wrong. */
export interface KeyPlace {
  readonly key: FilePath;
}

/** Writes a problem as compilers do, so that editors can jump to it. */
export function formatProblem(problem: FileProblem): string {
  const { file, line, column, message, code, hint } = problem;
  return `${file}:${line}:${column}: ${message} [${code}]${hint === null ? '' : ` ${hint}`}`;
}

/** Finds the line and column of a path, of its key if `atKey`; of the nearest parent where the path is absent. */
export function locatePath(
  document: Document,
  lines: LineCounter,
  place: FilePath | KeyPlace,
): { line: number; column: number } {
  const path = 'key' in place ? place.key : place;
  for (let length = path.length; length > 0; length -= 1) {
    const shown = path.slice(0, length);
    const offset = offsetOf(document, 'key' in place || length < path.length ? { key: shown } : shown);
    if (offset !== null) {
      const { line, col } = lines.linePos(offset);
      return { line: Math.max(1, line), column: Math.max(1, col) };
    }
  }
  return { line: 1, column: 1 };
}

function offsetOf(document: Document, place: FilePath | KeyPlace): number | null {
  const path = 'key' in place ? place.key : place;
  const last = path.at(-1);
  if ('key' in place && typeof last === 'string') {
    const parent: unknown = path.length === 1 ? document.contents : document.getIn(path.slice(0, -1), true);
    if (!isMap(parent)) return null;
    for (const pair of parent.items) {
      if (isPair(pair) && isScalar(pair.key) && String(pair.key.value) === last)
        return pair.key.range?.[0] ?? null;
    }
    return null;
  }
  const node: unknown = document.getIn([...path], true);
  return isNode(node) ? (node.range?.[0] ?? null) : null;
}

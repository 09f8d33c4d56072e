/** A statement of a Python file, with everything that its brackets and strings hold. */
export interface PythonLine {
  /** Columns before it; a tab goes on to the next column that is a multiple of eight. */
  readonly indent: number;
  readonly text: string;
  /** Of its beginning; the first is 1. */
  readonly line: number;
}

/** What may stand at a place of a file: a string with its prefix, a comment, a bracket, the end of a line. */
const PIECE =
  /(?:[rRbBuUfF]{0,2})(?:"""(?:\\[^]|[^\\])*?"""|'''(?:\\[^]|[^\\])*?'''|"(?:\\[^]|[^\\"\n])*"|'(?:\\[^]|[^\\'\n])*')|#[^\n]*|\\\r?\n|\r?\n|[[({]|[\])}]|[^\s"'#\\[\](){}rRbBuUfF]+|[^]/g;

/** Divides a Python file into its statements, without comments and blank lines. Nothing is checked. */
export function splitPythonLines(source: string): PythonLine[] {
  const lines: PythonLine[] = [];
  let depth = 0;
  let text = '';
  let line = 1;
  let begun = 1;
  const end = (): void => {
    const body = text.trim();
    if (body !== '') lines.push({ indent: widthOf(text), text: body, line: begun });
    text = '';
  };
  for (const [piece] of source.replace(/^\uFEFF/, '').matchAll(PIECE)) {
    const isEnd = /^\r?\n$/.test(piece);
    if (text.trim() === '') begun = line;
    line += piece.split('\n').length - 1;
    if (isEnd && depth === 0) end();
    else if (isEnd || /^\\\r?\n$/.test(piece)) text += ' ';
    else if (!piece.startsWith('#')) {
      if (/^[[({]$/.test(piece)) depth += 1;
      if (/^[\])}]$/.test(piece)) depth = Math.max(0, depth - 1);
      text += piece;
    }
  }
  end();
  return lines;
}

function widthOf(text: string): number {
  let width = 0;
  for (const letter of text) {
    if (letter === ' ') width += 1;
    else if (letter === '\t') width += 8 - (width % 8);
    else break;
  }
  return width;
}

import { stripVTControlCharacters } from 'node:util';

/** Returns rows as a table of aligned columns with heads, for people; nothing where there are no rows. Cells may have colours. */
export function formatTable(heads: readonly string[], rows: readonly (readonly string[])[]): string {
  return rows.length === 0 ? '' : alignColumns([heads, ...rows]);
}

/** Returns names and what stands beside each, aligned and indented; those without a value are left out. */
export function formatFacts(facts: readonly (readonly [string, string | null])[]): string {
  return alignColumns(
    facts.flatMap(([name, value]) => (value === null || value === '' ? [] : [[`  ${name}`, value]])),
  );
}

function alignColumns(lines: readonly (readonly string[])[]): string {
  const widths: number[] = [];
  for (const line of lines) {
    for (const [column, text] of line.entries())
      widths[column] = Math.max(widths[column] ?? 0, widthOf(text));
  }
  const format = (line: readonly string[]): string =>
    line.map((text, column) => text + ' '.repeat((widths[column] ?? 0) - widthOf(text))).join('  ');
  return lines.map((line) => `${format(line).trimEnd()}\n`).join('');
}

function widthOf(text: string): number {
  return stripVTControlCharacters(text).length;
}

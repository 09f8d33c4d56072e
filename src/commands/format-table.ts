/** Returns rows as a table of aligned columns with heads, for people; nothing where there are no rows. */
export function formatTable(heads: readonly string[], rows: readonly (readonly string[])[]): string {
  if (rows.length === 0) return '';
  const lines = [heads, ...rows];
  const widths = heads.map((_head, column) => Math.max(...lines.map((line) => line[column]?.length ?? 0)));
  const format = (line: readonly string[]): string =>
    line.map((text, column) => text.padEnd(widths[column] ?? 0)).join('  ');
  return lines.map((line) => `${format(line).trimEnd()}\n`).join('');
}

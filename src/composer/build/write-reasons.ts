import type { Turns } from '../../in-turns.ts';
import { KeptWith } from '../../kept-with.ts';
import type { SelectedPackage, Selection } from '../selection.ts';

/** Packages whose reasons are written before others may have their turn. */
const WRITTEN_TOGETHER = 2_048;

/** The lines of packages that were selected before. */
const keptLines = new KeptWith<SelectedPackage, string>();

/** Writes why each package is in, by arch and over all variants: what people ask of a compose that is larger than they thought. */
export function* formatReasons(
  { trees }: Pick<Selection, 'trees'>,
  write: (piece: string) => void,
): Turns<void> {
  write('{\n');
  const arches = [...Map.groupBy(trees, ({ arch }) => arch)];
  for (const [number, [arch, own]] of arches.entries()) {
    const reasons = new Map<string, SelectedPackage>();
    for (const tree of own) {
      for (const list of [tree.binary, tree.debug, tree.source]) {
        for (const selected of list) reasons.set(selected.package.fileName, selected);
      }
    }
    yield;
    write(` ${JSON.stringify(arch)}: {`);
    let begin = '\n';
    let seen = 0;
    for (const selected of reasons.values()) {
      write(begin);
      write(lineOf(selected));
      begin = ',\n';
      seen += 1;
      if (seen % WRITTEN_TOGETHER === 0) yield;
    }
    write(`${reasons.size === 0 ? '' : '\n '}}${number < arches.length - 1 ? ',' : ''}\n`);
  }
  write(arches.length === 0 ? '\n}\n' : '}\n');
}

function lineOf(selected: SelectedPackage): string {
  const kept = keptLines.get(selected);
  if (kept !== undefined) return kept;
  const line = `  ${JSON.stringify(selected.package.fileName)}: ${JSON.stringify(selected.why)}`;
  keptLines.set(selected, line);
  return line;
}

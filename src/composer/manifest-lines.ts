import { KeptWith } from '../kept-with.ts';
import { manifestLineOf, type ManifestPackage } from '../model/fingerprint.ts';
import type { OutputSettings } from './plan.ts';
import type { SelectedPackage, SelectedTree, Selection, TreeKind } from './selection.ts';

/** The line of a package, and the tree that it is of. */
interface KeptLine extends Pick<ManifestPackage, 'variant' | 'arch' | 'kind'> {
  readonly isReference: boolean;
  readonly line: string;
}

/** The lines of packages by what was selected: composes of one series select mostly the same. */
const keptLines = new KeptWith<SelectedPackage, KeptLine>();

/** Returns the lines of the packages of a selection in its manifest. */
export function* listManifestLines(
  { trees }: Pick<Selection, 'trees'>,
  { delivery }: Pick<OutputSettings, 'delivery'>,
): Generator<string> {
  const isReference = delivery === 'reference';
  for (const tree of trees) {
    for (const kind of ['binary', 'debug', 'source'] as const) {
      for (const selected of tree[kind]) yield lineOf(tree, kind, selected, isReference);
    }
  }
}

function lineOf(
  { variant, arch }: SelectedTree,
  kind: TreeKind,
  selected: SelectedPackage,
  isReference: boolean,
): string {
  const kept = keptLines.get(selected);
  const isSame =
    kept?.variant === variant && kept.arch === arch && kept.kind === kind && kept.isReference === isReference;
  if (isSame) return kept.line;
  const { nevra, payload, sigkey, oddName, origin } = selected.package;
  const place = { variant, arch, kind };
  const where = origin.kind === 'file' ? origin.path : origin.url;
  const line = manifestLineOf({
    ...place,
    nevra,
    payload,
    sigkey,
    fileName: oddName,
    reference: isReference ? where : '',
  });
  keptLines.set(selected, { ...place, isReference, line });
  return line;
}

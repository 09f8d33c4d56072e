import { mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { discFileName, discVolumeId } from '../../rpm/disc-names.ts';
import { formatImages, type ListedImage } from '../../rpm/productmd-images.ts';
import { formatDiscinfo, formatTreeinfo, type ComposeIdentity } from '../../rpm/productmd.ts';
import type { VariantArches } from '../../rpm/productmd-variant.ts';
import type { Tree } from '../compose-trees.ts';
import type { Pen } from '../pen.ts';
import type { Progress } from '../selection.ts';
import { makeDisc } from './make-disc.ts';

/** Where the metadata of the images of a compose lie, below its directory. */
export const IMAGES_FILE = 'compose/metadata/images.json';

export interface DiscsContext {
  readonly signal: AbortSignal;
  readonly progress: Progress;
  /** Where programs are looked for, as `PATH` says it. */
  readonly searched: string;
}

export interface DiscsInput {
  readonly identity: ComposeIdentity;
  readonly variants: readonly VariantArches[];
  /** All repositories of the compose, written. */
  readonly trees: readonly Tree[];
}

/**
 * Makes a DVD of each tree that has packages, of sources too, beside the tree, with the files that Pungi puts there; returns what
 * the metadata say of them. Throws what making one throws. Source: ODCS contract 16, Pungi's phases createiso and
 * image_checksum.
 */
export async function writeDiscs(context: DiscsContext, input: DiscsInput, pen: Pen): Promise<ListedImage[]> {
  const installed = input.trees.filter((tree) => tree.treeArch !== null && hasPackages(tree, input.trees));
  const listed: ListedImage[] = [];
  for (const [at, tree] of installed.entries()) {
    const onPercent = (percent: number): void =>
      context.progress('iso', at * 100 + percent, installed.length * 100, 'percent');
    onPercent(0);
    listed.push(await writeDisc({ ...context, onPercent }, input, pen, tree));
  }
  return listed;
}

/** Writes the list of the images of a compose. */
export function writeImages(pen: Pen, identity: ComposeIdentity, listed: readonly ListedImage[]): void {
  pen.writeFile(IMAGES_FILE, formatImages(identity, listed));
}

/** Whether packages lie in a tree, be they of an addon. */
function hasPackages({ directory }: Tree, trees: readonly Tree[]): boolean {
  return trees.some(
    (tree) =>
      (tree.directory === directory || tree.directory.startsWith(`${directory}/`)) &&
      tree.packages.length > 0,
  );
}

async function writeDisc(
  { signal, searched, onPercent }: DiscsContext & { readonly onPercent: (percent: number) => void },
  { identity, variants }: DiscsInput,
  pen: Pen,
  { variant, treeArch, directory }: Tree,
): Promise<ListedImage> {
  const arch = treeArch ?? 'src';
  const place = `${dirname(directory)}/iso`;
  const name = discFileName(identity, { variant, arch });
  pen.makeDirectory(`compose/${place}`);
  const path = pen.path(`compose/${place}/${name}`);
  const described = { variant, variants, arch, disc: { number: 1, count: 1 } };
  const work = await mkdtemp(join(tmpdir(), 'odcs-disc-'));
  try {
    const made = await makeDisc(
      { signal, searched, onPercent, work },
      {
        tree: pen.path(`compose/${directory}`),
        files: {
          '.treeinfo': formatTreeinfo(identity, described),
          '.discinfo': formatDiscinfo(identity, described),
        },
        volumeId: discVolumeId(identity, { variant, arch }),
        path,
      },
    );
    const { size, mtimeMs } = await stat(path);
    const sums = `# ${name}: ${size} bytes\nSHA256 (${name}) = ${made.sha256}\n`;
    pen.writeFile(`compose/${place}/${name}.SHA256SUM`, sums);
    // One directory has one image: that of its tree.
    pen.writeFile(`compose/${place}/SHA256SUM`, sums);
    pen.writeFile(`compose/${place}/${name}.manifest`, await listTree(pen.path(`compose/${directory}`)));
    const uid = variant.uid;
    return {
      variant: uid,
      arches: arch === 'src' ? (variants.find((variant) => variant.uid === uid)?.arches ?? []) : [arch],
      image: {
        arch,
        path: `${place}/${name}`,
        type: 'dvd',
        format: 'iso',
        subvariant: uid,
        isBootable: false,
        size,
        mtime: Math.floor(mtimeMs / 1_000),
        checksums: { sha256: made.sha256 },
        volumeId: made.volumeId,
        implantMd5: made.implantMd5,
      },
    };
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

/** Returns a line for everything in a tree, sorted, as `isoinfo -R -f` lists an image. */
async function listTree(root: string): Promise<string> {
  const entries = await readdir(root, { recursive: true });
  return entries
    .sort()
    .map((path) => `/${path}\n`)
    .join('');
}

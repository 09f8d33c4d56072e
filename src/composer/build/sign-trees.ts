import { readFile } from 'node:fs/promises';
import { runTogether } from '../run-together.ts';
import { signMetadata, type MetadataSigner } from '../signing/sign-metadata.ts';
import type { Tree } from '../compose-trees.ts';
import type { Pen } from '../pen.ts';

/** Signatures made at once; an agent makes them one after the other. */
const AT_ONCE = 4;

/** Signs files of a compose: beside each lies its signature, `.asc`. Throws what signing throws. */
export async function signFiles(
  { signer, signal }: { readonly signer: MetadataSigner; readonly signal: AbortSignal },
  pen: Pen,
  paths: readonly string[],
): Promise<void> {
  const waiting = paths.values();
  const signSome = async (inner: AbortSignal): Promise<void> => {
    for (const path of waiting) {
      inner.throwIfAborted();
      const content = await readFile(pen.path(path));
      pen.writeFile(`${path}.asc`, await signMetadata(signer, content, inner));
    }
  };
  await runTogether(
    signal,
    Array.from({ length: Math.min(AT_ONCE, paths.length) }, () => signSome),
  );
}

/** Where the `repomd.xml` of each repository of a compose lies, below its directory. */
export function repomdPaths(trees: readonly Pick<Tree, 'directory'>[]): string[] {
  return trees.map(({ directory }) => `compose/${directory}/repodata/repomd.xml`);
}

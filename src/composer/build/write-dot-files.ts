import {
  formatDiscinfo,
  formatMediaRepo,
  formatTreeinfo,
  type ComposeIdentity,
  type DescribedTree,
} from '../../rpm/productmd.ts';
import type { Pen } from '../pen.ts';

/** Writes what installers look for in a tree, a directory below `compose/`. Throws `main.version_invalid`. */
export function writeDotFiles(
  pen: Pen,
  tree: string,
  identity: ComposeIdentity,
  described: DescribedTree,
): void {
  pen.writeFile(`compose/${tree}/.treeinfo`, formatTreeinfo(identity, described));
  pen.writeFile(`compose/${tree}/.discinfo`, formatDiscinfo(identity, described));
  pen.writeFile(`compose/${tree}/media.repo`, formatMediaRepo(identity, described));
}

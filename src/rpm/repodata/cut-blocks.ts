/** A run of packages that is packed as one frame: `start` inclusive, `end` exclusive, indexes. */
export interface BlockRange {
  readonly start: number;
  readonly end: number;
}

const MEAN_PACKAGES = 64;
const MOST_PACKAGES = 512;
const FNV_OFFSET = 0x811c9dc5;
const FNV_PRIME = 0x01000193;

function hashOf(text: string, end: number): number {
  let hash = FNV_OFFSET;
  for (let i = 0; i < end; i += 1) hash = Math.imul(hash ^ text.charCodeAt(i), FNV_PRIME);
  hash ^= hash >>> 15;
  return hash >>> 0;
}

/** The end of the package's name in a path like `Packages/e/ed-1.14-2.x86_64.rpm`. */
function endOfName(href: string): number {
  const release = href.lastIndexOf('-');
  const version = release > 0 ? href.lastIndexOf('-', release - 1) : -1;
  return version > href.lastIndexOf('/') + 1 ? version : href.length;
}

/**
 * Cuts sorted locations into blocks of about 64 packages. A cut lies before a package whose name hashes to zero
 * modulo 64, so that adding, removing or updating a package moves no cut but the nearest ones; a run without
 * such a name ends at 512 packages.
 */
export function cutBlocks(hrefs: readonly string[]): BlockRange[] {
  const blocks: BlockRange[] = [];
  let start = 0;
  let previous = '';
  for (const [index, href] of hrefs.entries()) {
    const end = endOfName(href);
    const name = href.slice(0, end);
    const isCut = name !== previous && hashOf(href, end) % MEAN_PACKAGES === 0;
    if (index > start && (isCut || index - start >= MOST_PACKAGES)) {
      blocks.push({ start, end: index });
      start = index;
    }
    previous = name;
  }
  if (start < hrefs.length) blocks.push({ start, end: hrefs.length });
  return blocks;
}

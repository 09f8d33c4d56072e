/** Where a part of a chain stands, from what came in to what is built of it. */
export const chainColumns = ['event', 'window', 'request', 'compose', 'child', 'images'] as const;
export type ChainColumn = (typeof chainColumns)[number];

/** One part of how something came about. */
export interface ChainNode {
  readonly key: string;
  readonly column: ChainColumn;
  /** `event 28`, `compose 17`. */
  readonly name: string;
  /** What it is about, in a few words. */
  readonly title: string;
  /** A state or an outcome; null for what has none. */
  readonly state: string | null;
  /** When it came to its state; null where it has not yet. */
  readonly at: Date | null;
  /** Below the mount prefix; null where it has no page. */
  readonly path: string | null;
}

export interface ChainEdge {
  readonly from: string;
  readonly to: string;
}

/** From what came in over the rule, its window and its request to composes, the composes made of them, and images. */
export interface Chain {
  readonly nodes: readonly ChainNode[];
  readonly edges: readonly ChainEdge[];
  /** The key of what is looked at. */
  readonly here: string;
}

/** Milliseconds between two parts of a chain; null where one of them has no time. */
export function spanOf(chain: Chain, { from, to }: ChainEdge): number | null {
  const atOf = (key: string): Date | null => chain.nodes.find((node) => node.key === key)?.at ?? null;
  const [begin, end] = [atOf(from), atOf(to)];
  return begin === null || end === null ? null : Math.max(0, end.getTime() - begin.getTime());
}

/** How long something took, for people: `< 1 s`, `42 s`, `10 min`, `3 h 5 min`, `2 d`. */
export function formatSpan(ms: number): string {
  const seconds = Math.round(ms / 1000);
  if (seconds < 1) return '< 1 s';
  if (seconds < 100) return `${seconds} s`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 100) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  if (hours < 48) return `${hours} h${minutes % 60 === 0 ? '' : ` ${minutes % 60} min`}`;
  return `${Math.round(hours / 24)} d`;
}

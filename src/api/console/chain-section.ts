import { html } from 'hono/html';
import { chainColumns, formatSpan, spanOf, type Chain, type ChainNode } from '../chain/chain.ts';
import { findChain, type ChainStart } from '../chain/find-chain.ts';
import { badge, toneOf, type Tone } from './elements.ts';
import type { Html, PageContext } from './page.ts';

const widths = { event: 212, window: 190, request: 150, compose: 172, child: 172, images: 172 } as const;
const HEIGHT = 64;
const [GAP_X, GAP_Y, EDGE] = [58, 14, 2];
const signs: Readonly<Record<Tone, string>> = { good: '✓', bad: '✕', busy: '◔', calm: '–' };

/** The chain that something is a part of, drawn; a list on a phone. Empty where it is a part of none. */
export async function chainSection(context: PageContext, start: ChainStart): Promise<Html> {
  const chain = await findChain(context.database.kysely, start);
  if (chain.nodes.length < 2) return html``;
  return html`<h2 id="chain">How it came about, and what came of it</h2>
    ${drawChain(context, chain)} ${chainList(context, chain)}`;
}

interface Placed {
  readonly node: ChainNode;
  readonly x: number;
  readonly y: number;
  readonly width: number;
}

function place(chain: Chain): {
  readonly placed: readonly Placed[];
  readonly width: number;
  readonly height: number;
} {
  const columns = chainColumns
    .map((column) => ({ column, nodes: chain.nodes.filter((node) => node.column === column) }))
    .filter(({ nodes }) => nodes.length > 0);
  const most = Math.max(...columns.map(({ nodes }) => nodes.length));
  const height = most * (HEIGHT + GAP_Y) - GAP_Y;
  let x = 0;
  const placed = columns.flatMap(({ column, nodes }) => {
    const left = x;
    x += widths[column] + GAP_X;
    const top = (height - (nodes.length * (HEIGHT + GAP_Y) - GAP_Y)) / 2;
    return nodes.map((node, at) => ({
      node,
      x: left,
      y: top + at * (HEIGHT + GAP_Y),
      width: widths[column],
    }));
  });
  return { placed, width: x - GAP_X, height };
}

function drawChain(context: PageContext, chain: Chain): Html {
  const { placed, width, height } = place(chain);
  const byKey = new Map(placed.map((box) => [box.node.key, box]));
  const edges = chain.edges.map((edge) => {
    const [from, to] = [byKey.get(edge.from), byKey.get(edge.to)];
    if (from === undefined || to === undefined) return html``;
    const begin = { x: from.x + from.width, y: from.y + HEIGHT / 2 };
    const end = { x: to.x, y: to.y + HEIGHT / 2 };
    const middle = (begin.x + end.x) / 2;
    const span = spanOf(chain, edge);
    const isFork = chain.edges.filter((other) => other.from === edge.from).length > 1;
    // At the end that no other edge shares, on the side of it that the curve leaves free.
    const [own, shared] = isFork ? [end, begin] : [begin, end];
    const label = {
      x: isFork ? own.x - 6 : own.x + 6,
      y: own.y > shared.y ? own.y + 13 : own.y - 5,
      anchor: isFork ? 'end' : 'start',
    };
    return html`<path
        class="edge"
        d="M${begin.x} ${begin.y}C${middle} ${begin.y} ${middle} ${end.y} ${end.x} ${end.y}"
      />${
        span === null
          ? ''
          : html`<text class="scale" x="${label.x}" y="${label.y}" text-anchor="${label.anchor}"
              >${formatSpan(span)}</text
            >`
      }`;
  });
  const box = `${-EDGE} ${-EDGE} ${width + 2 * EDGE} ${height + 2 * EDGE}`;
  return html`<svg
    class="chain"
    role="group"
    aria-labelledby="chain"
    aria-describedby="chain-words"
    viewBox="${box}"
    width="${width + 2 * EDGE}"
    height="${height + 2 * EDGE}"
  >
    <desc id="chain-words">${chainWords(chain)}</desc>
    ${edges} ${placed.map((box) => drawNode(context, box, chain.here === box.node.key))}
  </svg>`;
}

function drawNode({ prefix }: PageContext, { node, x, y, width }: Placed, isHere: boolean): Html {
  const { name, title, state, at, path } = node;
  const tone = state === null ? 'calm' : toneOf(state);
  const time = at === null ? '' : ` · ${at.toISOString().slice(11, 16)}`;
  const body = html`<title>
      ${[name, title, state ?? '', at?.toISOString() ?? ''].filter(Boolean).join(', ')}
    </title>
    <rect class="node${isHere ? ' here' : ''}" x="${x}" y="${y}" width="${width}" height="${HEIGHT}" rx="6" />
    <rect
      class="fill-${state === null ? 'none' : tone}"
      x="${x}"
      y="${y + 8}"
      width="4"
      height="${HEIGHT - 16}"
      rx="2"
    />
    <text class="soft" x="${x + 14}" y="${y + 18}">${name}${time}</text>
    ${textLines(node, tone, Math.floor((width - 22) / 7.2)).map(
      ({ text, kind }, at) =>
        html`<text class="${kind}" x="${x + 14}" y="${y + 36 + at * 18}">${text}</text>`,
    )}`;
  return path === null ? html`<g>${body}</g>` : html`<a href="${prefix}${path}">${body}</a>`;
}

/** The title and the state; what has no state has a title of two lines. */
function textLines(
  { title, state }: ChainNode,
  tone: Tone,
  most: number,
): readonly { readonly text: string; readonly kind: string }[] {
  if (state !== null) {
    return [
      { text: shorten(title, most), kind: 'title' },
      { text: `${signs[tone]} ${state.replaceAll('_', ' ')}`, kind: tone },
    ];
  }
  const end = title.length <= most ? title.length : title.lastIndexOf(' ', most);
  const cut = end > 0 ? end : most;
  return [
    { text: shorten(title.slice(0, cut), most), kind: 'title' },
    { text: shorten(title.slice(cut).trim(), most + 4), kind: 'soft' },
  ];
}

function shorten(text: string, most: number): string {
  return text.length > most ? `${text.slice(0, most - 1)}…` : text;
}

/** The same for those who do not see it, and for phones. */
function chainList({ prefix }: PageContext, chain: Chain): Html {
  const sorted = chainColumns.flatMap((column) => chain.nodes.filter((node) => node.column === column));
  return html`<ol class="chain-list">
    ${sorted.map(
      (node) =>
        html`<li class="${node.key === chain.here ? 'here' : ''}">
          ${node.path === null ? node.name : html`<a href="${prefix}${node.path}">${node.name}</a>`}
          ${node.state === null ? '' : badge(node.state)}
          <span class="soft small">${node.at?.toISOString().slice(11, 16) ?? ''}</span>
          <div>${node.title}</div>
        </li>`,
    )}
  </ol>`;
}

function chainWords(chain: Chain): string {
  const nameOf = (key: string): string => chain.nodes.find((node) => node.key === key)?.name ?? key;
  return chain.edges.map(({ from, to }) => `${nameOf(from)} led to ${nameOf(to)}`).join('; ');
}

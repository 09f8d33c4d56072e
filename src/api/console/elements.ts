import { html } from 'hono/html';
import type { DecisionRow } from '../../database/decisions.ts';
import { composeJson, type Compose } from '../../model/compose-json.ts';
import { distance } from '../distance.ts';
import { withoutName } from '../find/rule-verdicts.ts';
import type { Html, PageContext } from './page.ts';

/** What a state or an outcome means to whoever looks. */
export type Tone = 'good' | 'bad' | 'busy' | 'calm';

const tones: Readonly<Record<string, Tone>> = {
  done: 'good',
  composed: 'good',
  active: 'good',
  failed: 'bad',
  refused: 'bad',
  paused: 'bad',
  wait: 'busy',
  waiting: 'busy',
  generating: 'busy',
  requested: 'busy',
  pending: 'busy',
  running: 'busy',
  not_ready: 'busy',
  rate_limited: 'busy',
  unknown: 'busy',
};

/** Returns what a state or an outcome means; nothing is to be done about most. */
export function toneOf(word: string): Tone {
  return tones[word] ?? 'calm';
}

/** A state or an outcome as a coloured word with a sign. */
export function badge(word: string): Html {
  return html`<span class="badge ${toneOf(word)}">${word.replaceAll('_', ' ')}</span>`;
}

/**
 * A moment in UTC with how long ago it was, or will be; with `hasOwn` the reader's own time stands beside it where a script
 * knows that.
 */
export function moment(time: Date, now: Date, { hasOwn = false }: { readonly hasOwn?: boolean } = {}): Html {
  const iso = time.toISOString();
  const text = `${iso.slice(0, 16).replace('T', ' ')} UTC`;
  return html`<time datetime="${iso}" title="${iso}" ${hasOwn ? 'data-own' : ''}>${text}</time>
    <span class="soft small plain">${distance(time.getTime() - now.getTime())}</span>`;
}

/** What a compose is made from, in a line. */
export function sourceText({ request, source }: Compose): string {
  const words = [request.sourceType.replace('_', ' '), source, ...(request.builds ?? [])];
  const text = words.filter((word) => word !== '').join(' ');
  return text.length > 160 ? `${text.slice(0, 157)}…` : text;
}

/** The packages asked for, the first few. */
function packagesText({ request }: Compose): string {
  const names = request.packages ?? [];
  if (names.length === 0) return '';
  return names.length > 6 ? `${names.slice(0, 6).join(' ')} and ${names.length - 6} more` : names.join(' ');
}

/** Text to take away: selected as a whole, and copied by a button where script runs. */
export function copyBox(id: string, text: string): Html {
  return html`<div class="copy">
    <pre class="whole" id="${id}" tabindex="0">${text}</pre>
    <button type="button" data-copy="${id}" hidden>Copy</button>
  </div>`;
}

/** How far a compose is that is being made. */
export function progressLine({ progress }: Compose): Html {
  if (progress === null) return html``;
  const { stage, done, total, unit } = progress;
  return html`<progress value="${done}" max="${Math.max(total, 1)}" aria-label="${stage}"></progress>
    <span class="small" data-stage>${stage} ${done}/${total} ${unit}</span>`;
}

/** Names with what is known of each; what is null or empty is left out. */
export function factList(facts: readonly (readonly [string, string | number | Html | null])[]): Html {
  return html`<dl>
    ${facts.map(([name, value]) =>
      value === null || value === ''
        ? ''
        : html`<dt>${name}</dt>
            <dd>${value}</dd>`,
    )}
  </dl>`;
}

/** A table whose rows stand below each other on a phone. */
export function stackTable(
  columns: readonly (string | Html)[],
  rows: readonly Html[],
  className: 'packages' | 'composes' | '' = '',
): Html {
  return html`<table class="${className === '' ? 'stack' : `stack ${className}`}">
    <thead>
      <tr>
        ${columns.map((column) => html`<th scope="col">${column}</th>`)}
      </tr>
    </thead>
    <tbody>
      ${rows}
    </tbody>
  </table>`;
}

/** The name of a series, leading to its page. */
export function seriesLink({ prefix }: PageContext, series: string): Html {
  return html`<a href="${prefix}/console/series/${encodeURIComponent(series)}">${series}</a>`;
}

/** A table of composes: what, how it is, since when. */
export function composeTable(
  context: PageContext,
  composes: readonly Compose[],
  more: ReadonlyMap<number, Html> = new Map(),
): Html {
  const rows = composes.map((compose) => {
    const { result_repofile: file } = composeJson(compose, context.targetDirUrls);
    const time = compose.timeDone ?? compose.timeStarted ?? compose.timeSubmitted;
    const detail =
      compose.state === 'failed'
        ? html`<div class="small">${compose.stateReason}</div>`
        : compose.state === 'generating'
          ? html`<div>${progressLine(compose)}</div>
              ${more.get(compose.id) ?? ''}`
          : '';
    return html`<tr>
      <td>
        <a href="${context.prefix}/console/composes/${compose.id}">${compose.id}</a> ${badge(compose.state)}
      </td>
      <td>
        ${sourceText(compose)}
        <div class="small soft">${packagesText(compose)}</div>
        ${detail}
      </td>
      <td>
        ${compose.series === null ? compose.owner : html`series ${seriesLink(context, compose.series)}`}
      </td>
      <td>${moment(time, context.now)}</td>
      <td>${compose.state === 'done' && file !== '' ? html`<a href="${file}">.repo</a>` : ''}</td>
    </tr>`;
  });
  return html`${stackTable(['Compose', 'Of', 'For', 'When', html`<span class="soft">File</span>`], rows, 'composes')}`;
}

/** Leaves out that rules fired where it is told what was decided on the window their event went into. */
export function withoutRepetition(decisions: readonly DecisionRow[]): readonly DecisionRow[] {
  const decided = new Set(
    decisions.flatMap((row) => (row.event_id === null && row.window_id !== null ? [row.window_id] : [])),
  );
  return decisions.filter(
    ({ outcome, window_id: window }) => outcome !== 'matched' || window === null || !decided.has(window),
  );
}

/** A table of decisions, as they are given; those of one rule do not name it. */
export function decisionTable(
  context: PageContext,
  decisions: readonly DecisionRow[],
  { rule: ofRule }: { readonly rule?: string } = {},
): Html {
  const { prefix } = context;
  const link = (path: string, text: string): Html =>
    html`<a class="plain" href="${prefix}${path}">${text}</a> `;
  const rows = decisions.map(
    (row) =>
      html`<tr>
        <td>${badge(row.outcome)}</td>
        ${ofRule === undefined ? html`<td>${link(`/console/rules/${row.rule}`, row.rule)}</td>` : ''}
        <td>${withoutName(row.rule, row.why)}</td>
        <td class="small">
          ${row.event_id === null ? '' : link(`/console/events/${row.event_id}`, `event ${row.event_id}`)}
          ${row.window_id === null ? '' : link(`/console/windows/${row.window_id}`, `window ${row.window_id}`)}
          ${row.compose_id === null ? '' : link(`/console/composes/${row.compose_id}`, `compose ${row.compose_id}`)}
        </td>
        <td>${moment(row.at, context.now)}</td>
      </tr>`,
  );
  return stackTable(['Outcome', ...(ofRule === undefined ? ['Rule'] : []), 'Why', 'About', 'When'], rows);
}

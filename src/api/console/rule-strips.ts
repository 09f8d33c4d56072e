import { html } from 'hono/html';
import { listWindowOutcomes, type WindowOutcome } from '../../database/decisions.ts';
import { findPauses } from '../../database/rule-pauses.ts';
import { countCauses } from '../../database/window-causes.ts';
import { listOpenWindows, listOpenWindowsOf, type WindowRow } from '../../database/windows.ts';
import { distance } from '../distance.ts';
import { readShownRules } from '../rule-set.ts';
import { badge, toneOf, stackTable } from './elements.ts';
import type { Html, PageContext } from './page.ts';

const DAY_MS = 86_400_000;
const MOST_DECISIONS = 5000;
const MOST_WINDOWS = 100;
const MOST_RULES = 100;
const [WIDTH, HEIGHT, MARK] = [360, 22, 5];

/**
 * The last day of every rule, or of one: what it decided, on a line of time, and which of its windows are open.
 */
export async function ruleStrips(context: PageContext, only?: string): Promise<Html> {
  const { prefix, now } = context;
  const { kysely } = context.database;
  const { set } = await readShownRules(context);
  const outcomes = await listWindowOutcomes(kysely, {
    since: new Date(now.getTime() - DAY_MS),
    limit: MOST_DECISIONS,
    ...(only === undefined ? {} : { rule: only }),
  });
  const windows =
    only === undefined
      ? await listOpenWindows(kysely, MOST_WINDOWS)
      : await listOpenWindowsOf(kysely, [only], MOST_WINDOWS);
  const counts = await countCauses(
    kysely,
    windows.map(({ id }) => id),
  );
  const byRule = Map.groupBy(outcomes, ({ rule }) => rule);
  const openOf = Map.groupBy(windows, ({ rule }) => rule);
  const paused = new Set((await findPauses(kysely)).map(({ rule }) => rule));
  const modes = new Map<string, string>(set.rules.map(({ name, mode }) => [name, mode]));
  const all = [...new Set([...modes.keys(), ...byRule.keys(), ...openOf.keys()])].sort();
  const names = only === undefined ? all : [only];
  if (names.length === 0) {
    return html`<h2 id="rules">Rules</h2>
      <p class="empty">
        No rule runs. Write one with <code>odcs-reactor rules new</code>, check it with
        <code>odcs-reactor rules check DIRECTORY</code>, and name the directory in the setting
        <code>rules_dir</code>.
      </p>`;
  }
  const rows = names.slice(0, MOST_RULES).map((name) => {
    const decided = byRule.get(name) ?? [];
    return html`<tr>
      <td class="plain"><a href="${prefix}/console/rules/${name}">${name}</a></td>
      <td>${badge(paused.has(name) ? 'paused' : (modes.get(name) ?? 'gone'))}</td>
      <td>${drawStrip(context, name, decided)}</td>
      <td>${outcomeWords(decided)}</td>
      <td>
        ${(openOf.get(name) ?? []).map((window) => windowWords(context, window, counts.get(window.id) ?? 0))}
      </td>
    </tr>`;
  });
  return html`<h2 id="rules">${only === undefined ? 'Rules, the last 24 hours' : 'The last 24 hours'}</h2>
    ${stackTable(['Rule', 'State', `${hourText(now, 24)} to ${hourText(now, 0)} UTC`, 'Decided', 'Open windows'], rows)}
    ${names.length > MOST_RULES ? html`<p><a href="${prefix}/console/rules">All ${names.length} rules</a></p>` : ''}`;
}

function hourText(now: Date, hoursAgo: number): string {
  return new Date(now.getTime() - hoursAgo * 3_600_000).toISOString().slice(11, 16);
}

/** Marks on a line of 24 hours; what matters more stands higher, so that it is told without its colour. */
function drawStrip({ prefix, now }: PageContext, rule: string, decided: readonly WindowOutcome[]): Html {
  const xOf = (at: Date): number =>
    Math.round((1 - Math.min(DAY_MS, Math.max(0, now.getTime() - at.getTime())) / DAY_MS) * (WIDTH - MARK));
  const heights = { good: 16, bad: 22, busy: 11, calm: 6 } as const;
  const marks = decided.toReversed().map(({ at, outcome, window_id: window }) => {
    const tone = toneOf(outcome);
    const height = heights[tone];
    const words = `${outcome.replaceAll('_', ' ')} at ${at.toISOString().slice(11, 16)}`;
    const mark = html`<rect
      class="fill-${tone}"
      x="${xOf(at)}"
      y="${HEIGHT - height}"
      width="${MARK}"
      height="${height}"
      ><title>${words}</title></rect
    >`;
    return window === null
      ? mark
      : html`<a href="${prefix}/console/windows/${window}" aria-label="${words}" tabindex="-1">${mark}</a>`;
  });
  return html`<svg
    class="strip"
    role="group"
    aria-label="${rule}: ${outcomeText(decided)}"
    viewBox="0 0 ${WIDTH} ${HEIGHT + 1}"
    width="${WIDTH}"
    height="${HEIGHT + 1}"
  >
    ${[0, 0.25, 0.5, 0.75, 1].map(
      (part) => html`<line x1="${part * WIDTH}" y1="0" x2="${part * WIDTH}" y2="${HEIGHT}" />`,
    )}
    <line x1="0" y1="${HEIGHT + 0.5}" x2="${WIDTH}" y2="${HEIGHT + 0.5}" />
    ${marks}
  </svg>`;
}

function countOutcomes(decided: readonly WindowOutcome[]): readonly (readonly [string, number])[] {
  return [...Map.groupBy(decided, ({ outcome }) => outcome)].map(([outcome, all]) => [outcome, all.length]);
}

/** What was decided, how often: `8 composed, 3 unchanged`. */
export function outcomeText(decided: readonly WindowOutcome[]): string {
  if (decided.length === 0) return 'nothing decided';
  return countOutcomes(decided)
    .map(([outcome, count]) => `${count} ${outcome.replaceAll('_', ' ')}`)
    .join(', ');
}

function outcomeWords(decided: readonly WindowOutcome[]): Html {
  if (decided.length === 0) return html`<span class="soft small">nothing</span>`;
  const words = countOutcomes(decided).map(
    ([outcome, count], at) =>
      html`${at > 0 ? ', ' : ''}<span class="plain ${toneOf(outcome)}"
          >${count} ${outcome.replaceAll('_', ' ')}</span
        >`,
  );
  return html`<span class="small">${words}</span>`;
}

function windowWords({ prefix, now }: PageContext, window: WindowRow, count: number): Html {
  const group = window.group_key === '{}' || window.group_key === '[]' ? '' : ` ${window.group_key}`;
  const events = `${count} event${count === 1 ? '' : 's'}`;
  return html`<div class="small">
    <a href="${prefix}/console/windows/${window.id}">${events}</a>${group}, decides
    <time datetime="${window.due_at.toISOString()}"
      >${distance(window.due_at.getTime() - now.getTime())}</time
    >
  </div>`;
}

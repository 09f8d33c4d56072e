import { html } from 'hono/html';
import { listWindowOutcomes } from '../../database/decisions.ts';
import { countCauses } from '../../database/window-causes.ts';
import { findWindows, listOpenWindowsOf } from '../../database/windows.ts';
import type { Rule } from '../../model/rule.ts';
import type { BacktestWindow } from '../../rules/backtest.ts';
import { readGroupKey, type Group } from '../../rules/group.ts';
import { badge, moment, stackTable, toneOf } from './elements.ts';
import type { Html, PageContext } from './page.ts';
import { exactSpan } from '../stage-bars.ts';

const SHOWN = 20;
const DAYS_MS = 7 * 86_400_000;
const WIDTH = 1000;

/** One window as it is drawn. */
interface DrawnWindow {
  readonly opened: Date;
  /** When it was, or will be, decided. */
  readonly ends: Date;
  readonly events: number;
  readonly group: Group;
  readonly outcome: string;
  /** Address of its page, without the mount prefix; null for one that never was. */
  readonly path: string | null;
}

/** The last windows of a rule, the newest first: how long each collected events, how many, and what came of it. */
export async function windowsSection(context: PageContext, rule: Rule): Promise<Html> {
  const { kysely } = context.database;
  const decided = await listWindowOutcomes(kysely, {
    since: new Date(context.now.getTime() - DAYS_MS),
    limit: SHOWN * 2,
    rule: rule.name,
  });
  const outcomes = new Map(
    decided.toReversed().flatMap(({ window_id: id, outcome }) => (id === null ? [] : [[id, outcome]])),
  );
  const open = await listOpenWindowsOf(kysely, [rule.name], SHOWN);
  const closed = await findWindows(kysely, [...outcomes.keys()]);
  const rows = [...open, ...closed.filter(({ id }) => !open.some((shown) => shown.id === id))].slice(
    0,
    SHOWN,
  );
  const counts = await countCauses(
    kysely,
    rows.map(({ id }) => id),
  );
  const windows = rows.map((row): DrawnWindow => ({
    opened: row.opened_at,
    ends: row.decided_at ?? row.closed_at ?? row.due_at,
    events: counts.get(row.id) ?? 0,
    group: readGroupKey(row.group_key),
    outcome: outcomes.get(row.id) ?? row.outcome ?? (row.closed_at === null ? 'waiting' : 'pending'),
    path: `/console/windows/${row.id}`,
  }));
  return html`<h2 id="windows">Its last windows <span class="soft">of 7 days</span></h2>
    ${
      windows.length === 0
        ? html`<p class="empty">
            None was open. An event that fires the rule opens one; try it below, or see
            <a href="${context.prefix}/console/events">what came in</a>.
          </p>`
        : drawWindows(context, windows)
    }`;
}

/** The windows that a rule would have had. */
export function backtestWindows(context: PageContext, windows: readonly BacktestWindow[]): Html {
  if (windows.length === 0) return html`<p class="empty">No window: no event fires the rule.</p>`;
  const shown = windows.slice(-SHOWN).toReversed();
  const rest = windows.length - shown.length;
  const drawn = shown.map(({ openedAt, closedAt, causes, group, outcome }): DrawnWindow => ({
    opened: new Date(openedAt),
    ends: new Date(closedAt),
    events: causes.length,
    group,
    outcome,
    path: null,
  }));
  return html`${drawWindows(context, drawn)} ${rest > 0 ? html`<p class="soft">And ${rest} before.</p>` : ''}`;
}

/** Each as a bar from its first event to its decision, as long as it was beside the longest. */
function drawWindows({ prefix, now }: PageContext, windows: readonly DrawnWindow[]): Html {
  const lengthOf = ({ opened, ends }: DrawnWindow): number => Math.max(0, ends.getTime() - opened.getTime());
  const longest = Math.max(1, ...windows.map(lengthOf));
  const rows = windows.map((window) => {
    const events = `${window.events} event${window.events === 1 ? '' : 's'}`;
    const group = Object.values(window.group).join(' ');
    const width = Math.max(4, Math.round((lengthOf(window) / longest) * WIDTH));
    return html`<tr>
      <td>${moment(window.opened, now)}</td>
      <td class="length">
        <svg viewBox="0 0 ${WIDTH} 10" preserveAspectRatio="none" aria-hidden="true">
          <rect class="fill-none" x="0" y="9" width="${WIDTH}" height="1" />
          <rect class="fill-${toneOf(window.outcome)}" x="0" y="0" width="${width}" height="10" />
        </svg>
      </td>
      <td class="plain">${exactSpan(lengthOf(window))}</td>
      <td class="plain">
        ${window.path === null ? events : html`<a href="${prefix}${window.path}">${events}</a>`}
        ${group === '' ? '' : html`<span class="soft">${group}</span>`}
      </td>
      <td>${badge(window.outcome)}</td>
    </tr>`;
  });
  return stackTable(
    ['Opened', `First event to decision, up to ${exactSpan(longest)}`, 'Length', 'Of', 'Outcome'],
    rows,
  );
}

import { findOpenRequest } from '../database/series.ts';
import { findCauses } from '../database/window-causes.ts';
import { listOpenWindowsOf } from '../database/windows.ts';
import { ReactorError } from '../model/errors.ts';
import type { Rule } from '../model/rule.ts';
import { askCompose } from '../rules/ask-compose.ts';
import { isGroupOf, readGroupKey } from '../rules/group.ts';
import type { ApiContext } from './context.ts';
import { readShownRules } from './rule-set.ts';

/** What will come next in a series, as far as is known now. */
export type NextOfSeries =
  | { readonly kind: 'running' }
  /** A request waits, until then where a moment is given. */
  | { readonly kind: 'waiting'; readonly notBefore: Date | null }
  /** A window collects events and will be decided then. */
  | { readonly kind: 'window'; readonly rule: string; readonly dueAt: Date };

const MOST_WINDOWS = 50;

/** Returns what is expected next of a series; null where nothing is under way. */
export async function findNextOfSeries(context: ApiContext, series: string): Promise<NextOfSeries | null> {
  const { kysely } = context.database;
  const open = await findOpenRequest(kysely, series);
  if (open?.state === 'running') return { kind: 'running' };
  if (open !== undefined) return { kind: 'waiting', notBefore: open.notBefore };
  const { set } = await readShownRules(context);
  const rules = new Map(
    set.rules.filter((rule) => mayContinue(rule, series)).map((rule) => [rule.name, rule]),
  );
  for (const window of await listOpenWindowsOf(kysely, [...rules.keys()], MOST_WINDOWS)) {
    const rule = rules.get(window.rule);
    const group = readGroupKey(window.group_key);
    if (rule === undefined || !isGroupOf(rule, group)) continue;
    const events = (await findCauses(kysely, window.id)).map(({ input }) => input);
    if (seriesOf(rule, group, events) === series) {
      return { kind: 'window', rule: rule.name, dueAt: window.due_at };
    }
  }
  return null;
}

/** Whether a rule may continue a series, as far as the beginning of the name tells. */
function mayContinue(rule: Rule, series: string): boolean {
  if (rule.mode !== 'active') return false;
  if (rule.series === null) return series.startsWith(rule.name);
  const placeholder = rule.series.indexOf('${');
  return placeholder < 0 ? rule.series === series : series.startsWith(rule.series.slice(0, placeholder));
}

function seriesOf(...asked: Parameters<typeof askCompose>): string | null {
  try {
    return askCompose(...asked).series;
  } catch (error) {
    // A window that cannot be asked for ends as failed, which its decision will say.
    if (error instanceof ReactorError) return null;
    throw error;
  }
}

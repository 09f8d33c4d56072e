import { pageInputEvents } from '../database/input-events.ts';
import type { Rule } from '../model/rule.ts';
import { Backtester, type Backtest } from '../rules/backtest.ts';
import type { ApiContext } from './context.ts';

const PAGE = 2000;

/** Returns what a rule would have done with the stored events of the last `ms` milliseconds; nothing is written. */
export async function backtestStoredEvents(
  { database, clock }: Pick<ApiContext, 'database' | 'clock'>,
  rule: Rule,
  ms: number,
  signal?: AbortSignal,
): Promise<Backtest> {
  const kinds = [...new Set(rule.triggers.map(({ event }) => event))];
  const now = clock.now();
  const since = new Date(now.getTime() - ms);
  const tester = new Backtester(rule, { from: since, to: now });
  let afterId = 0;
  for (;;) {
    const page = await pageInputEvents(database.kysely, { kinds, since, afterId, limit: PAGE });
    tester.take(page);
    afterId = page.at(-1)?.id ?? afterId;
    if (page.length < PAGE || signal?.aborted === true) break;
  }
  return tester.finish();
}

import assert from 'node:assert/strict';
import { runRuleClocks } from '../../src/rules/reconcile.ts';
import { atTime } from '../database/at-time.ts';
import type { Engine } from './engine.ts';

/** Makes the ticks and sweeps that are due. Returns when the next is. */
export async function clocks(engine: Engine, now: Date, isStart = false): Promise<Date | null> {
  const context = {
    database: atTime(engine.database, now),
    rules: engine.rules,
    sources: engine.sources,
    isStart,
  };
  return runRuleClocks({ ...context, onError: (_rule, error) => assert.fail(String(error)) });
}

/** Matches what clocks made. Returns the reasons. */
export async function matchInternal(engine: Engine, now: Date): Promise<string[]> {
  const rows = await engine.database.kysely
    .selectFrom('events')
    .select(['id', 'event'])
    .where('bus', '=', 'internal')
    .where('matched_at', 'is', null)
    .orderBy('id')
    .execute();
  for (const { id } of rows) await engine.match(id, now);
  return rows.map(({ event }) => (event?.kind === 'state.swept' ? event.reason : (event?.kind ?? '')));
}

/** Makes the sweeps that are due, decides what they lead to, and returns their reasons and the outcomes. */
export async function sweepAndDecide(
  engine: Engine,
  now: Date,
): Promise<{ reasons: string[]; outcomes: string[] }> {
  await clocks(engine, now);
  return { reasons: await matchInternal(engine, now), outcomes: await engine.advance(now) };
}

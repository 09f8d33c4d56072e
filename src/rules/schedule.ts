import { CronExpressionParser } from 'cron-parser';
import { ReactorError, messageOf } from '../model/errors.ts';

/**
 * The first moment after the given one that a cron expression (five fields, UTC) names.
 * Throws `rule.schedule_invalid` for text that is no cron expression.
 */
export function nextTick(expression: string, after: Date): Date {
  try {
    return CronExpressionParser.parse(expression, { currentDate: after, tz: 'UTC' }).next().toDate();
  } catch (error) {
    throw new ReactorError('rule.schedule_invalid', `"${expression}" is no schedule: ${messageOf(error)}.`, {
      hint: 'Write minute, hour, day, month and weekday, for example "0 5 * * *" for five o\'clock UTC.',
      cause: error,
    });
  }
}

/** From and to, both included. */
export interface Period {
  readonly from: Date;
  readonly to: Date;
}

/**
 * Returns the moments that any of the cron expressions names in a period, in order, each once; `limit` at most, the first
 * ones. Throws as `nextTick` does.
 */
export function ticksBetween(
  schedules: readonly string[],
  { from, to }: Period,
  limit: number,
): readonly Date[] {
  const found = new Set<number>();
  for (const schedule of schedules) {
    let at = nextTick(schedule, new Date(from.getTime() - 1));
    for (let count = 0; at <= to && count < limit; count += 1) {
      found.add(at.getTime());
      at = nextTick(schedule, at);
    }
  }
  return [...found]
    .toSorted((left, right) => left - right)
    .slice(0, limit)
    .map((at) => new Date(at));
}

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

import type { Backtest } from '../rules/backtest.ts';
import type { Explanation } from '../rules/explain.ts';
import type { ActionContext } from './command.ts';
import { paintFor } from './paint.ts';

/** Prints an explanation: the sentence, then each field with what was wanted and found. */
export function printExplanation(context: ActionContext, explanation: Explanation, isJson: boolean): void {
  if (isJson) {
    context.stdout(`${JSON.stringify(explanation)}\n`);
    return;
  }
  const paint = paintFor(context);
  context.stdout(`${explanation.sentence}\n`);
  for (const { answer, field, wanted, got, unless } of explanation.trail) {
    const mark = {
      yes: paint('good', '+'),
      no: paint('bad', '-'),
      unknown: paint('busy', '?'),
    }[answer];
    context.stdout(
      `  ${mark} ${unless ? 'unless ' : ''}${field}: wanted ${wanted}, got ${got ?? 'nothing'}\n`,
    );
  }
}

/** Prints what a backtest found. */
export function printBacktest(context: ActionContext, result: Backtest, isJson: boolean): void {
  if (isJson) {
    context.stdout(`${JSON.stringify(result)}\n`);
    return;
  }
  const { events, answers, decidedBy, windows, perDay } = result;
  const asked = windows.filter(({ outcome }) => outcome === 'asks').length;
  context.stdout(
    `${result.rule}: ${events} events of its kinds, ${answers.yes} fire it, ${answers.no} do not, ${answers.unknown} cannot be judged.\n` +
      (result.ticks === 0 ? '' : `${result.ticks} ticks of its schedule.\n`) +
      `${windows.length} settle windows: ${asked} ask for something new, ${windows.filter(({ outcome }) => outcome === 'repeats').length} repeat the request before, ${windows.filter(({ outcome }) => outcome === 'fails').length} fail.\n`,
  );
  for (const { day, windows: count, events: causes } of perDay)
    context.stdout(`  ${day}: ${count} windows, ${causes} events\n`);
  for (const { field, answer, count } of decidedBy.slice(0, 5))
    context.stdout(`  ${answer} by "${field}": ${count}\n`);
  for (const { openedAt, why, asked: body } of windows.slice(0, 20)) {
    context.stdout(
      `  ${openedAt.slice(0, 19)}Z ${why}${body === null ? '' : ` ${JSON.stringify(body.body)}`}\n`,
    );
  }
  if (windows.length > 20) context.stdout(`  … and ${windows.length - 20} more; --json tells all.\n`);
}

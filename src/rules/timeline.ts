import { formatDuration } from '../model/duration.ts';
import type { Rule } from '../model/rule.ts';
import type { Backtest, BacktestWindow } from './backtest.ts';

const WIDTH = 60;

/**
 * Draws the windows of a backtest, one a line: `[` the first event, `=` the wait, `]` the close, and when, for how
 * long and with how many events. The scale is that of the longest.
 */
export function drawTimeline(rule: Rule, backtest: Backtest): string {
  const { settleMs, maxWaitMs, minIntervalMs } = rule;
  const lines = [
    `${rule.name}: settle ${formatDuration(settleMs)}, max_wait ${formatDuration(maxWaitMs)}` +
      (minIntervalMs === 0 ? '' : `, min_interval ${formatDuration(minIntervalMs)}`),
  ];
  const longest = Math.max(1, ...backtest.windows.map(lengthOf));
  for (const window of backtest.windows) {
    const length = Math.max(2, Math.round((lengthOf(window) / longest) * WIDTH));
    const group = Object.values(window.group).join(' ');
    lines.push(
      `${window.openedAt.slice(0, 19)}Z [${'='.repeat(length - 2)}]${' '.repeat(WIDTH - length)} ` +
        `${formatDuration(lengthOf(window))}, ${causesOf(window)}` +
        `${group === '' ? '' : `, ${group}`}: ${window.outcome}`,
    );
  }
  if (backtest.windows.length === 0)
    lines.push('No window: no event fires the rule, and no schedule of it was due.');
  return `${lines.join('\n')}\n`;
}

function lengthOf(window: BacktestWindow): number {
  return Date.parse(window.closedAt) - Date.parse(window.openedAt);
}

function causesOf({ causes, ticks }: BacktestWindow): string {
  const count = (number: number, word: string): string[] =>
    number === 0 ? [] : [`${number} ${word}${number === 1 ? '' : 's'}`];
  return [...count(causes.length, 'event'), ...count(ticks, 'tick')].join(' and ');
}

import type { Compose } from '../model/compose-json.ts';
import type { StageTimes } from '../model/stage-times.ts';
import { asker } from './asker.ts';
import { exactSpan, stageBars } from './stage-bars.ts';

/** One thing that happened to a compose. */
export interface LogLine {
  /** ISO 8601; null for a warning, whose time is not kept. */
  readonly at: string | null;
  readonly level: 'info' | 'warning' | 'error';
  readonly text: string;
}

/**
 * Returns what happened to a compose: who asked, then in the order of times each stage as it begins and as it ends, warnings,
 * and how it ended. Of a compose that is being made, later looks add to the end.
 */
export function composeLog(compose: Compose, times: StageTimes | null, now: Date): readonly LogLine[] {
  const { owner, source, timeSubmitted, timeDone, timeRemoved, removedBy, state, stateReason } = compose;
  const lines: [number, LogLine][] = [];
  const add = (at: number, text: string, level: LogLine['level'] = 'info'): void => {
    lines.push([at, { at: new Date(at).toISOString(), level, text }]);
  };
  for (const bar of stageBars(compose, times, now)) {
    add(bar.from, `${bar.words}: begun`);
    if (bar.state === 'going on') continue;
    const span = exactSpan(bar.to - bar.from);
    if (bar.state === 'failed') add(bar.to, `${bar.words}: failed after ${span}`, 'error');
    else add(bar.to, `${bar.words}: ended after ${span}`);
  }
  const asked: LogLine = {
    at: timeSubmitted.toISOString(),
    level: 'info',
    text: `${asker(owner)} asked for ${compose.request.sourceType} ${source}`.trimEnd(),
  };
  const story = lines.toSorted(([left], [right]) => left - right).map(([, line]) => line);
  const warnings = compose.warnings.map((text): LogLine => ({ at: null, level: 'warning', text }));
  const end: LogLine[] = [];
  const isEnded = state !== 'wait' && state !== 'generating';
  if (isEnded && timeDone !== null) {
    const isFailed = state === 'failed';
    const reason = stateReason === null || state === 'removed' ? '' : `: ${stateReason}`;
    const word = state === 'removed' ? 'ended' : state;
    end.push({ at: timeDone.toISOString(), level: isFailed ? 'error' : 'info', text: `${word}${reason}` });
  } else if (state === 'failed') {
    end.push({ at: null, level: 'error', text: `failed: ${stateReason ?? 'no reason is known'}` });
  }
  if (timeRemoved !== null) {
    const by = removedBy === null ? '' : ` by ${removedBy}`;
    end.push({ at: timeRemoved.toISOString(), level: 'info', text: `removed${by}` });
  }
  return [asked, ...story, ...warnings, ...end];
}

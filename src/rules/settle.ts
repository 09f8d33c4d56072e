import type { Priority } from '../model/compose.ts';
import { higherPriority } from '../model/rule.ts';

/** An open group of events that waits for quiet. Times are milliseconds since 1970. */
export interface SettleWindow {
  readonly openedAt: number;
  readonly lastAt: number;
  readonly dueAt: number;
  readonly priority: Priority;
  /** Ids of the events, each once, ascending. */
  readonly causes: readonly number[];
}

/** How long a window waits: quiet time, and the cap after its first event. */
export interface SettleTimes {
  readonly settleMs: number;
  readonly maxWaitMs: number;
}

/** An event as a window sees it: its id, when it was received, how urgent its rule is. */
export interface WindowEvent {
  readonly id: number;
  readonly at: number;
  readonly priority: Priority;
}

/** What an event does: the window it is in now, and the one that had to close before because it was over. */
export interface WindowStep {
  readonly window: SettleWindow;
  readonly closed: SettleWindow | null;
}

/**
 * Puts an event into the open window of its group, or opens one. The order in which events of one window arrive
 * does not matter: opened is the least time, last the greatest, due the lesser of last + settle and opened +
 * max_wait. An event received after the window was due belongs to the next one, however late the closing is.
 * Source: RULES 4.4, 3.
 */
export function openOrExtend(open: SettleWindow | null, event: WindowEvent, times: SettleTimes): WindowStep {
  if (open === null) return { window: openWindow(event, times), closed: null };
  if (open.causes.includes(event.id)) {
    return { window: { ...open, priority: higherPriority(open.priority, event.priority) }, closed: null };
  }
  if (event.at > open.dueAt) return { window: openWindow(event, times), closed: open };
  const openedAt = Math.min(open.openedAt, event.at);
  const lastAt = Math.max(open.lastAt, event.at);
  return {
    window: {
      openedAt,
      lastAt,
      dueAt: dueOf(openedAt, lastAt, times),
      priority: higherPriority(open.priority, event.priority),
      causes: [...open.causes, event.id].sort((left, right) => left - right),
    },
    closed: null,
  };
}

function openWindow(event: WindowEvent, times: SettleTimes): SettleWindow {
  return {
    openedAt: event.at,
    lastAt: event.at,
    dueAt: dueOf(event.at, event.at, times),
    priority: event.priority,
    causes: [event.id],
  };
}

/** When a window with these first and last events is due. */
function dueOf(openedAt: number, lastAt: number, times: SettleTimes): number {
  return Math.min(lastAt + times.settleMs, openedAt + times.maxWaitMs);
}

import type { EventLook, EventSummary } from '../database/list-events.ts';

/** How far events were released in order, and up to where a gap is watched. */
export interface EventOrder {
  /** Every event up to this number was released or will never come. */
  readonly last: number;
  readonly marks: readonly Mark[];
}

/** Numbers up to `highest` had been given out when a look saw them. */
interface Mark {
  readonly highest: number;
  /** Once every transaction before this one has ended, what is missing below `highest` never comes. */
  readonly nextTransaction: bigint | null;
  readonly at: number;
}

/** A transaction that runs longer does not hold up the events behind its own. */
const LONGEST_WAIT_MS = 60_000;

/**
 * Decides which of the events that a look above `order.last` saw may be released, so that none is released before
 * one with a smaller number: numbers are given out in order, but commit in any. A gap ends when its event appears,
 * or when every transaction that can have had it has ended. `now` is in milliseconds of any origin.
 */
export function releaseInOrder(
  order: EventOrder,
  look: EventLook,
  now: number,
): { readonly order: EventOrder; readonly released: readonly EventSummary[] } {
  // Taken at the look after the number was seen: a number is given out a moment before its transaction has one.
  const marks = order.marks.map((mark) =>
    mark.nextTransaction === null ? { ...mark, nextTransaction: look.nextTransaction } : mark,
  );
  const settled = marks
    .filter(
      ({ nextTransaction, at }) =>
        (nextTransaction !== null && look.oldestRunning >= nextTransaction) || now - at >= LONGEST_WAIT_MS,
    )
    .reduce((highest, mark) => Math.max(highest, mark.highest), order.last);
  let { last } = order;
  const released: EventSummary[] = [];
  for (const event of look.events) {
    if (event.id > settled && event.id !== last + 1) break;
    released.push(event);
    last = event.id;
  }
  const highest = look.events.at(-1)?.id ?? last;
  const open = marks.filter((mark) => mark.highest > last);
  const isNew = highest > last && !open.some((mark) => mark.highest === highest);
  return {
    order: { last, marks: isNew ? [...open, { highest, nextTransaction: null, at: now }] : open },
    released,
  };
}

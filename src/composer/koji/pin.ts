import { createHash } from 'node:crypto';
import {
  eventUnknown,
  getEvent,
  getLastEvent,
  queryContentChanges,
  type KojiEvent,
} from '../../upstream/koji/hub-events.ts';
import { getFullInheritance, getTag, haveTagsChanged, tagUnknown } from '../../upstream/koji/hub-tags.ts';
import type { CallOptions, KojiHub } from '../../upstream/koji/hub.ts';

/** A tag held at one event of its hub. */
export interface KojiPin {
  readonly tag: string;
  readonly event: KojiEvent;
  /** Ids of the tag and of all it inherits from, at the event. */
  readonly treeIds: readonly number[];
  /**
   * Whether the event is so much older than the last one of the hub that all earlier ones are visible. Otherwise what
   * the tag holds at this event may still change: see `isPinTrue`. Judged by the hub's times alone, for nobody knows how
   * far its clock is from that of this machine.
   */
  readonly isAged: boolean;
  /** Digest of what was seen to happen in the tree shortly before the event. */
  readonly recent: string;
  /** An event some minutes earlier: what becomes visible late lies behind it. */
  readonly recentSince: number;
}

/** Younger events may have an earlier one appear below them. */
const AGED_MS = 60_000;
/** How far back a slow transaction is looked for. */
const OVERLAP_MS = 10 * 60_000;

/**
 * Pins a tag: to the event that was asked for, or to the last one that is visible. Throws `koji.tag_unknown`,
 * `koji.event_unknown`, `koji.event_in_future`.
 * Source: Koji contract 2 and 2.1.
 */
export async function pinTag(
  hub: KojiHub,
  wanted: { readonly tag: string; readonly event: number | null; readonly inherit: boolean },
  options: CallOptions = {},
): Promise<KojiPin> {
  const { event, last } = await findEvent(hub, wanted.event, options);
  const [treeIds, before] = await Promise.all([
    readTree(hub, wanted.tag, wanted.inherit, event.id, wanted.event !== null, options),
    getLastEvent(hub, { ...options, before: event.at - OVERLAP_MS }),
  ]);
  const isAged = last.at - event.at >= AGED_MS;
  const pin = { tag: wanted.tag, event, treeIds, isAged };
  const recentSince = before?.id ?? 0;
  if (isAged) return { ...pin, recentSince, recent: '' };
  return { ...pin, recentSince, recent: await digestRecent(hub, event.id, treeIds, recentSince, options) };
}

/** The event asked for, or the last one. Throws `koji.event_unknown`, `koji.event_in_future`. */
export async function resolveEvent(
  hub: KojiHub,
  wanted: number | null,
  options: CallOptions = {},
): Promise<KojiEvent> {
  return (await findEvent(hub, wanted, options)).event;
}

/** The event asked for, and the last one. */
async function findEvent(
  hub: KojiHub,
  wanted: number | null,
  options: CallOptions,
): Promise<{ readonly event: KojiEvent; readonly last: KojiEvent }> {
  const last = await getLastEvent(hub, options);
  if (last === null) throw new Error('a hub without any event');
  if (wanted === null || wanted === last.id) return { event: last, last };
  const event = wanted > last.id ? null : await getEvent(hub, wanted, options);
  if (event === null) throw eventUnknown(hub, wanted, last);
  return { event, last };
}

async function readTree(
  hub: KojiHub,
  tag: string,
  inherit: boolean,
  event: number,
  isAsked: boolean,
  options: CallOptions,
): Promise<readonly number[]> {
  const [tagged, inherited] = await Promise.allSettled([
    getTag(hub, tag, { ...options, event }),
    inherit ? getFullInheritance(hub, tag, { ...options, event }) : [],
  ]);
  // The hub's complaint about the inheritance of a tag it does not know says less.
  if (tagged.status === 'rejected') throw tagged.reason;
  const found = tagged.value;
  if (found === null) throw tagUnknown(hub, tag, isAsked ? event : undefined);
  if (inherited.status === 'rejected') throw inherited.reason;
  const parents = inherited.value;
  return [...new Set([found.id, ...parents.map((parent) => parent.tagId)])].sort(
    (left, right) => left - right,
  );
}

/**
 * Whether what was read at a pin still holds: an earlier event may have become visible since. Always true for an
 * event that had aged when it was pinned. Ask before the compose is published.
 * Source: Koji contract 2.1.
 */
export async function isPinTrue(hub: KojiHub, pin: KojiPin, options: CallOptions = {}): Promise<boolean> {
  if (pin.isAged) return true;
  const recent = await digestRecent(hub, pin.event.id, pin.treeIds, pin.recentSince, options);
  return recent === pin.recent;
}

/** Returns whether what was read at all of some pins still holds. */
export async function arePinsTrue(
  hub: KojiHub,
  pins: readonly KojiPin[],
  options: CallOptions = {},
): Promise<boolean> {
  const answers = await Promise.all(pins.map((pin) => isPinTrue(hub, pin, options)));
  return answers.every((isTrue) => isTrue);
}

/**
 * Whether anything versioned may have changed in the tree of a pin since it was read. Changes of the minutes before
 * the pin count too, as they may have become visible after it.
 */
export async function hasTagChanged(hub: KojiHub, pin: KojiPin, options: CallOptions = {}): Promise<boolean> {
  return haveTagsChanged(hub, pin.recentSince, pin.treeIds, options);
}

async function digestRecent(
  hub: KojiHub,
  event: number,
  treeIds: readonly number[],
  since: number,
  options: CallOptions,
): Promise<string> {
  const lines = await queryContentChanges(hub, {
    ...options,
    afterEvent: since,
    upToEvent: event,
    tagIds: treeIds,
  });
  return createHash('sha256').update(lines.join('\n')).digest('hex');
}

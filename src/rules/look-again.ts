import { readingOfSeries, type SeriesReading } from '../database/compose-requests.ts';
import type { DatabaseHandle } from '../database/database-handle.ts';
import type { RuleGroup } from '../database/rule-groups.ts';
import type { InputEvent } from '../model/event.ts';
import { joinHub, splitHub } from '../model/hub-name.ts';
import type { Rule } from '../model/rule.ts';
import type { TagHappening } from '../upstream/koji/hub-events.ts';
import { findGone, tagOfRule, type ComposedTag } from './group-subject.ts';
import { isExcluded } from './match.ts';
import { readGroupKey, type Group } from './group.ts';
import type { KojiState, StateSources, TagState } from './require.ts';

/** What a sweep knows beside the rule. */
export interface LookContext {
  readonly kysely: DatabaseHandle;
  readonly sources: StateSources;
  readonly now: Date;
  /** States of tags that were asked for in this round, shared among rules. */
  readonly tagStates: Map<string, Promise<TagState>>;
}

/** What a look at one group shows. */
export interface Finding {
  /** Why the group is to be decided again; null where there is no reason. */
  readonly reason: string | null;
  readonly kojiEvent: number | null;
  /** Whether what it is about is gone. */
  readonly isGone: boolean;
}

/** Koji's events become visible out of order: what was read so soon after a change may lack an earlier one. */
const AGING_MS = 5 * 60_000;
/** A better signature is looked for after a tenth of the time since the series moved, between these. */
const SIGNATURE_SHARE = 10;
const LONGEST_SIGNATURE_WAIT_MS = 6 * 3_600_000;

/**
 * Looks whether a group has to be decided again although no message said so: its state check waits or it was paused,
 * its tag changed since it was last read, or shortly before; or a copy may have been signed with a better key. A group
 * that is open or waits to be decided is left alone, as its decision comes later. Throws what the systems throw.
 * Source: RULES 4.4, 5 and 13; Koji contract 2.1.
 */
export async function lookAgain(context: LookContext, rule: Rule, known: RuleGroup): Promise<Finding> {
  const group = readGroupKey(known.groupKey);
  const last = known.lastWindow;
  if (last !== null && last.outcome === null) return nothing(known);
  const tag = tagOfRule(rule, group);
  const gone = await lookForEnd(context, rule, { group, known, tag });
  if (gone !== null) return gone;
  if (last?.outcome === 'not_ready' || last?.outcome === 'paused') {
    return found(`${rule.name} looks again: its last window ended as ${last.outcome}.`);
  }
  if (tag === null) {
    return rule.groupBy.length === 0 ? found(`${rule.name} looks at its source again.`) : nothing();
  }
  const { koji } = context.sources;
  if (koji === undefined) return nothing();
  const state = await stateOfTag(context, koji, tag.tag);
  return lookAtTag(context, rule, { koji, state, tag, known });
}

async function lookForEnd(
  context: LookContext,
  rule: Rule,
  {
    group,
    known,
    tag,
  }: { readonly group: Group; readonly known: RuleGroup; readonly tag: ComposedTag | null },
): Promise<Finding | null> {
  const { koji } = context.sources;
  if (tag !== null && koji !== undefined) {
    const state = await stateOfTag(context, koji, tag.tag);
    if (state.kind !== 'gone') return null;
    return known.goneAt === null
      ? { ...found(`There is no tag ${tag.tag} in Koji (any more).`), isGone: true }
      : { ...nothing(), isGone: true };
  }
  const isWaiting = known.lastWindow?.outcome === 'not_ready' || known.lastWindow?.outcome === 'paused';
  if (rule.groupBy.length === 0 || !isWaiting) return null;
  const sentence = await findGone(rule, group, { tag: null, sources: context.sources });
  return sentence === null ? null : { ...found(sentence), isGone: true };
}

function stateOfTag(context: LookContext, koji: KojiState, tag: string): Promise<TagState> {
  const asking = context.tagStates.get(tag) ?? koji.tagState(tag);
  context.tagStates.set(tag, asking);
  return asking;
}

interface TagLook {
  readonly koji: KojiState;
  readonly state: TagState;
  readonly tag: ComposedTag;
  readonly known: RuleGroup;
}

async function lookAtTag(context: LookContext, rule: Rule, look: TagLook): Promise<Finding> {
  const { koji, state, tag, known } = look;
  const reading = await readingOfSeries(context.kysely, tag.series, splitHub(tag.tag).hub);
  if (reading.isPending) return nothing();
  const last = reading.last ?? readInShadow(known);
  if (state.kind === 'changed') {
    const at = `${tag.tag} changed at Koji event ${state.event}`;
    if (last === null) return found(`${at}; never evaluated before.`, state.event);
    if (last.kojiEvent !== null && state.event > last.kojiEvent) {
      return (await isAllExcluded(koji, rule, tag.tag, last.kojiEvent))
        ? nothing()
        : found(`${at}; event ${last.kojiEvent} was evaluated last.`, state.event);
    }
    if (last.readAt.getTime() < state.at.getTime() + AGING_MS) {
      return found(
        `${at}, and was read soon after it or before: what became visible late is looked for.`,
        state.event,
      );
    }
  }
  return isSignatureDue(context, rule, reading)
    ? found(`${rule.name} looks whether copies are signed with a better key by now.`)
    : nothing();
}

/** A rule in shadow asks for nothing: its window stands for the request. */
function readInShadow({ lastWindow }: RuleGroup): SeriesReading['last'] {
  return lastWindow?.outcome === 'shadow' && lastWindow.decidedAt !== null
    ? { readAt: lastWindow.decidedAt, kojiEvent: null, tookFallback: false }
    : null;
}

/** Whether everything that happened in a tag since an event is what the rule's `unless` excludes. */
async function isAllExcluded(koji: KojiState, rule: Rule, tag: string, since: number): Promise<boolean> {
  if (!rule.triggers.some(({ event, unless }) => isTagging(event) && unless.length > 0)) return false;
  const { taggings, hasOthers } = await koji.changesOfTag(tag, since);
  return !hasOthers && taggings.length > 0 && taggings.every((tagging) => isExcluded(rule, toInput(tagging)));
}

function isTagging(kind: string): boolean {
  return kind === 'koji.tag' || kind === 'koji.untag';
}

/** A tagging of the history as its message would have told it, as far as the history knows. */
function toInput(happening: TagHappening): InputEvent {
  const { kind, tagName: tag, tagId, name, version, release, buildId, event, at, user } = happening;
  const { hub } = splitHub(tag);
  const time = new Date(at).toISOString();
  return {
    bus: 'internal',
    messageId: `koji-history:${event}`,
    topic: `buildsys.${kind === 'tagged' ? 'tag' : 'untag'}`,
    rawTopic: `buildsys.${kind === 'tagged' ? 'tag' : 'untag'}`,
    receivedAt: time,
    sentAt: time,
    producer: null,
    instance: hub ?? '',
    event: {
      kind: kind === 'tagged' ? 'koji.tag' : 'koji.untag',
      ...(hub === null ? {} : { hub }),
      tag,
      tag_id: tagId,
      package: name,
      nvr: joinHub(hub, `${name}-${version}-${release}`),
      build_id: buildId,
      side_tag: /-side-\d+(-|$)/.test(tag),
      koji_event: event,
      ...(user === null ? {} : { user }),
    },
  };
}

/** Signing takes no Koji event, and writing the signed copy sends no message. Source: Koji contract 2. */
function isSignatureDue({ now }: LookContext, rule: Rule, { last, movedAt }: SeriesReading): boolean {
  if (last === null || !last.tookFallback) return false;
  const age = now.getTime() - (movedAt ?? last.readAt).getTime();
  const wait = Math.max(rule.reconcileMs ?? 0, Math.min(LONGEST_SIGNATURE_WAIT_MS, age / SIGNATURE_SHARE));
  return now.getTime() - last.readAt.getTime() >= wait;
}

function found(reason: string, kojiEvent: number | null = null): Finding {
  return { reason, kojiEvent, isGone: false };
}

function nothing(known?: RuleGroup): Finding {
  return { reason: null, kojiEvent: null, isGone: known !== undefined && known.goneAt !== null };
}

import { ReactorError } from '../model/errors.ts';
import type { JsonObject, Rule } from '../model/rule.ts';
import { askCompose } from './ask-compose.ts';
import type { Group } from './group.ts';
import type { StateSources } from './require.ts';

/** The Koji tag that a request composes, and its series. */
export interface ComposedTag {
  readonly tag: string;
  readonly series: string;
}

/** Returns the tag and series of a rule that composes one tag, as far as the group says them; else null. */
export function tagOfRule(rule: Rule, group: Group): ComposedTag | null {
  try {
    const { body, series } = askCompose(rule, group, []);
    const tag = tagOfBody(body);
    return tag === null ? null : { tag, series };
  } catch (error) {
    if (error instanceof ReactorError) return null;
    throw error;
  }
}

/** Returns the one Koji tag that a request names as its source; null for other sources. */
export function tagOfBody(body: JsonObject): string | null {
  const source = body['source'];
  const entries = new Map(typeof source === 'object' && source !== null ? Object.entries(source) : []);
  const tag = entries.get('source');
  return entries.get('type') === 'tag' && typeof tag === 'string' && !tag.includes(' ') ? tag : null;
}

/** What an update or advisory rests in that will not be shipped any more. */
const DROPPED: ReadonlySet<string> = new Set(['obsolete', 'unpushed', 'DROPPED_NO_SHIP']);

/**
 * Returns a sentence that says that what a group is about is gone, or null where it is there, or nobody can tell: a tag
 * that Koji does not have (any more), an update or advisory that was dropped, a module of which MBS has nothing but
 * garbage. Throws what the systems throw.
 */
export async function findGone(
  rule: Rule,
  group: Group,
  { tag, sources }: { readonly tag: string | null; readonly sources: StateSources },
): Promise<string | null> {
  const { koji, bodhi, errata, mbs } = sources;
  const { alias, id } = group;
  const name = tag ?? group['tag'] ?? group['koji_tag'];
  if (typeof name === 'string' && koji !== undefined && !(await koji.isTagThere(name))) {
    return `There is no tag ${name} in Koji (any more).`;
  }
  const listensTo = (kind: string): boolean => rule.triggers.some(({ event }) => event.startsWith(kind));
  if (typeof alias === 'string' && bodhi !== undefined && listensTo('bodhi.')) {
    const status = await bodhi.updateStatus(alias);
    if (status === null) return `Bodhi has no update ${alias} (any more).`;
    if (DROPPED.has(status)) return `Update ${alias} is ${status}.`;
  }
  if (typeof id === 'number' && errata !== undefined && listensTo('errata.')) {
    const status = await errata.advisoryStatus(id);
    if (status !== null && DROPPED.has(status)) return `Advisory ${id} is ${status}.`;
  }
  const nsvc = moduleOfGroup(rule, group);
  if (nsvc !== null && mbs !== undefined && !(await mbs.isModuleThere(nsvc))) {
    return `MBS has no build of ${nsvc} (any more) that is not garbage.`;
  }
  return null;
}

/**
 * Returns the module, as `N:S[:V[:C]]`, that the groups of a rule are about; null for other rules, for those that compose
 * because a module became garbage, and for those that hear of another MBS than the one that can be asked.
 */
function moduleOfGroup(rule: Rule, { nsvc, name, stream, version, context }: Group): string | null {
  const triggers = rule.triggers.filter(({ event }) => event === 'mbs.module');
  const isAsked = triggers.every(({ match }) =>
    match.every((test) => {
      if (test.field === 'hub' || test.field === 'instance') return false;
      return !(
        test.field === 'state' &&
        test.op === 'any_of' &&
        test.values.some(({ value }) => value === 'garbage')
      );
    }),
  );
  if (triggers.length === 0 || !isAsked) return null;
  if (typeof nsvc === 'string') return nsvc;
  if (typeof name !== 'string' || typeof stream !== 'string') return null;
  const more = version === undefined ? [] : context === undefined ? [version] : [version, context];
  return [name, stream, ...more].join(':');
}

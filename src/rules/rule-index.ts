import type { InputEvent } from '../model/event.ts';
import type { FieldTest, Rule, RuleSet, Trigger } from '../model/rule.ts';

/** The rules of one kind of event, by a field and value that they ask for. */
interface KindIndex {
  /** Rules that ask for no constant: each event of the kind may fire them. */
  readonly always: Set<number>;
  /** Field to value to places in the set. */
  readonly byField: Map<string, Map<string, Set<number>>>;
}

interface RuleIndex {
  readonly kinds: ReadonlyMap<string, KindIndex>;
  readonly byName: ReadonlyMap<string, Rule>;
}

const indexes = new WeakMap<RuleSet, RuleIndex>();
/** As the matcher cuts texts. */
const MAX_TEXT = 1024;

/**
 * Returns the rules of a set that may fire on an event, or be unable to tell, in the set's order: those that name its
 * kind and whose first constant the event has, or does not say. All others say no. The cost does not grow with the
 * rules that ask for other values.
 */
export function findListeners(set: RuleSet, input: InputEvent): readonly Rule[] {
  const { event } = input;
  const { kinds, byName } = indexOf(set);
  if (event.kind === 'schedule.tick' || event.kind === 'state.swept') {
    const rule = byName.get(event.rule);
    return rule === undefined ? [] : [rule];
  }
  const kind = kinds.get(event.kind);
  if (kind === undefined) return [];
  const places = new Set(kind.always);
  const fields: Readonly<Record<string, unknown>> = { ...input, ...event };
  for (const [field, values] of kind.byField) {
    for (const place of placesOf(values, fields[field])) places.add(place);
  }
  return [...places].sort((left, right) => left - right).flatMap((place) => set.rules[place] ?? []);
}

function* placesOf(values: ReadonlyMap<string, ReadonlySet<number>>, got: unknown): Generator<number> {
  if (got === undefined || got === null) {
    for (const places of values.values()) yield* places;
    return;
  }
  for (const value of Array.isArray(got) ? new Set<unknown>(got) : [got]) {
    if (typeof value === 'string') yield* values.get(value.slice(0, MAX_TEXT)) ?? [];
  }
}

function indexOf(set: RuleSet): RuleIndex {
  const known = indexes.get(set);
  if (known !== undefined) return known;
  const kinds = new Map<string, KindIndex>();
  const byName = new Map<string, Rule>();
  for (const [place, rule] of set.rules.entries()) {
    if (rule.mode === 'off') continue;
    byName.set(rule.name, rule);
    for (const trigger of rule.triggers) {
      const kind = kinds.get(trigger.event) ?? { always: new Set(), byField: new Map() };
      kinds.set(trigger.event, kind);
      addTrigger(kind, trigger, place);
    }
  }
  const index = { kinds, byName };
  indexes.set(set, index);
  return index;
}

function addTrigger(kind: KindIndex, trigger: Trigger, place: number): void {
  const constant = trigger.match.map(constantsOf).find((values) => values !== null) ?? null;
  if (constant === null) {
    kind.always.add(place);
    return;
  }
  const values = kind.byField.get(constant.field) ?? new Map<string, Set<number>>();
  kind.byField.set(constant.field, values);
  for (const value of constant.values) values.set(value, (values.get(value) ?? new Set()).add(place));
}

/** The texts of which a field must be one, or have one among its elements; null where the test asks for something else. */
function constantsOf(test: FieldTest): { readonly field: string; readonly values: readonly string[] } | null {
  if (test.op !== 'any_of') return null;
  const values = test.values.flatMap(({ value, glob }) =>
    typeof value === 'string' && !glob ? [value] : [],
  );
  return values.length === test.values.length && values.length > 0 ? { field: test.field, values } : null;
}

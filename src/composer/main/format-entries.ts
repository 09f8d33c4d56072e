import { ReactorError } from '../../model/errors.ts';

/** Returns the member, unless it is as by default. */
export function unless<Key extends string, Value>(
  key: Key,
  value: Value,
  byDefault: Value extends string ? string : unknown,
): { [Name in Key]?: NonNullable<Value> } {
  if (value === null || value === undefined || JSON.stringify(value) === JSON.stringify(byDefault)) return {};
  const member: { [Name in Key]?: NonNullable<Value> } = {};
  member[key] = value;
  return member;
}

/** Returns the error for what a definition file cannot say. */
export function notExpressible(what: string): ReactorError {
  return new ReactorError('definition.not_expressible', `A definition file cannot say this: ${what}.`, {
    hint: 'Compose it of the configuration, or change the configuration first.',
  });
}

/** Joins lists by arch to one, where that can be said; what every arch has at the end of its list is for all. */
export function joinArches<Item>(
  arches: readonly string[],
  listOf: (arch: string) => readonly Item[],
): Item[] | Record<string, Item[]> {
  const [first = [], ...others] = arches.map(listOf);
  let shared = first.length;
  for (const other of others) {
    while (endOf(first, shared) !== endOf(other, shared)) shared -= 1;
  }
  const isSame = [first, ...others].every((list) => list.length === shared);
  if (isSame) return [...first];
  const own = arches
    .map((arch) => [arch, listOf(arch)] as const)
    .map(([arch, list]): [string, Item[]] => [arch, list.slice(0, list.length - shared)])
    .filter(([, list]) => list.length > 0);
  const all = first.slice(first.length - shared);
  return Object.fromEntries([...own, ...(all.length === 0 ? [] : [['all', all] as const])]);
}

/** The end of a list, to be compared. */
function endOf(list: readonly unknown[], length: number): string {
  return JSON.stringify(list.slice(list.length - length));
}

import { isArray, isStruct, type XmlRpcValue } from '../../../../src/upstream/koji/xml-rpc-value.ts';

/** What values at one place look like: their kinds, their members, and which of these every struct has. */
export interface Shape {
  readonly kinds: ReadonlySet<string>;
  readonly members: ReadonlyMap<string, Shape>;
  readonly always: ReadonlySet<string>;
  readonly entries: Shape | null;
}

/** Members whose content is anybody's: what is below them is not looked at. */
const FREE = new Set(['extra', 'request', 'result', 'task', 'headers']);

/** The common shape of values. */
export function shapeOf(values: readonly XmlRpcValue[]): Shape {
  const structs = values.filter(isStruct);
  const names = [...new Set(structs.flatMap((struct) => Object.keys(struct)))];
  const entries = values.filter(isArray).flat();
  return {
    kinds: new Set(values.map(kindOf)),
    members: new Map(
      names.map((name) => [
        name,
        shapeOf(
          FREE.has(name) ? [] : structs.flatMap((struct) => struct[name] ?? (name in struct ? [null] : [])),
        ),
      ]),
    ),
    always: new Set(names.filter((name) => structs.every((struct) => name in struct))),
    entries: entries.length === 0 ? null : shapeOf(entries),
  };
}

function kindOf(value: XmlRpcValue): string {
  if (value === null) return 'nil';
  if (isArray(value)) return 'array';
  return isStruct(value) ? 'struct' : typeof value;
}

/** What of a shape does not occur in a recorded one, and what always occurs there and is missing. */
export function shapeProblems(shape: Shape, recorded: Shape, place = ''): string[] {
  const known = [...recorded.kinds].filter((kind) => kind !== 'nil');
  const problems = [...shape.kinds]
    .filter((kind) => kind !== 'nil' && known.length > 0 && !known.includes(kind))
    .map((kind) => `${place} is ${kind}, recorded as ${known.join(' or ')}`);
  for (const [name, own] of shape.members) {
    const other = recorded.members.get(name);
    if (other === undefined) problems.push(`${place}.${name} is not recorded`);
    else problems.push(...shapeProblems(own, other, `${place}.${name}`));
  }
  if (shape.kinds.has('struct')) {
    for (const name of recorded.always) {
      if (!shape.members.has(name)) problems.push(`${place}.${name} is missing`);
    }
  }
  if (shape.entries !== null && recorded.entries !== null) {
    problems.push(...shapeProblems(shape.entries, recorded.entries, `${place}[]`));
  }
  return problems;
}

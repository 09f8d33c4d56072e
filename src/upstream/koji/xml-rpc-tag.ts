/** The elements of an XML-RPC answer, as numbers: they are compared millions of times per answer. */
export const TAG = {
  unknown: 0,
  value: 1,
  struct: 2,
  member: 3,
  name: 4,
  string: 5,
  int: 6,
  boolean: 7,
  double: 8,
  base64: 9,
  dateTime: 10,
  array: 11,
  data: 12,
  nil: 13,
  params: 14,
  param: 15,
  fault: 16,
  methodResponse: 17,
} as const;

const NAMES: readonly (readonly [string, number])[] = [
  ['value', TAG.value],
  ['struct', TAG.struct],
  ['member', TAG.member],
  ['name', TAG.name],
  ['string', TAG.string],
  ['int', TAG.int],
  ['i4', TAG.int],
  ['i8', TAG.int],
  ['ex:i8', TAG.int],
  ['boolean', TAG.boolean],
  ['double', TAG.double],
  ['base64', TAG.base64],
  ['dateTime.iso8601', TAG.dateTime],
  ['array', TAG.array],
  ['data', TAG.data],
  ['nil', TAG.nil],
  ['ex:nil', TAG.nil],
  ['params', TAG.params],
  ['param', TAG.param],
  ['fault', TAG.fault],
  ['methodResponse', TAG.methodResponse],
];

const SLOTS = 256;
const slotTag = new Uint8Array(SLOTS);
const slotName: Uint8Array[] = Array.from({ length: SLOTS }, () => new Uint8Array(0));

// Length, first and fourth byte tell all of them apart; a clash would throw here, when the module is loaded.
function slotOf(bytes: Uint8Array, start: number, end: number): number {
  const length = end - start;
  const first = bytes[start] ?? 0;
  const fourth = length > 3 ? (bytes[start + 3] ?? 0) : (bytes[start + 1] ?? 0);
  return (length * 37 + first * 7 + fourth) & (SLOTS - 1);
}

for (const [name, tag] of NAMES) {
  const bytes = new TextEncoder().encode(name);
  const slot = slotOf(bytes, 0, bytes.length);
  if (slotTag[slot] !== TAG.unknown) throw new Error(`two elements share slot ${slot}: ${name}`);
  slotTag[slot] = tag;
  slotName[slot] = bytes;
}

/** Which element the bytes name; `TAG.unknown` where it is none of XML-RPC. */
export function tagOf(bytes: Uint8Array, start: number, end: number): number {
  const slot = slotOf(bytes, start, end);
  const name = slotName[slot];
  if (name === undefined || name.length !== end - start) return TAG.unknown;
  for (let i = 0; i < name.length; i += 1) if (name[i] !== bytes[start + i]) return TAG.unknown;
  return slotTag[slot] ?? TAG.unknown;
}

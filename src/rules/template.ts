import { fieldsOfKind, type FieldType } from '../model/event-catalogue.ts';
import { ReactorError } from '../model/errors.ts';
import { isName } from '../model/names.ts';
import { buildFields } from '../model/event-catalogue.ts';
import type { InputEvent } from '../model/event.ts';
import type { JsonObject, JsonValue, Scalar } from '../model/rule.ts';

/** Where a placed value comes from: the group or newest event, the newest event, or all events of the window. */
type Scope = 'field' | 'event' | 'events';

/** One `${…}`, read. `element` is the field of a build in `builds[].nvr`. */
export interface Placeholder {
  readonly text: string;
  readonly scope: Scope;
  readonly field: string;
  readonly element: string | null;
}

type Part = string | Placeholder;

/** What templates are filled from: the window's group, its events in order of receipt. */
export interface TemplateSource {
  readonly group: Readonly<Record<string, Scalar>>;
  readonly events: readonly InputEvent[];
}

const locationPattern = /^(?:\/|[a-z]{1,10}:\/\/)[A-Za-z0-9._+:~^@%=/-]{1,1000}$/;
const MAX_LIST = 20_000;
const MAX_BODY_BYTES = 1024 * 1024;

/**
 * Reads a text with `${…}` in it. Throws `template.invalid` for anything that is not `${field}`, `${event.field}`,
 * `${events.field}` or `${events.builds[].field}`.
 */
export function parseTemplate(text: string): readonly Part[] {
  const parts: Part[] = [];
  let position = 0;
  while (position < text.length) {
    const start = text.indexOf('${', position);
    if (start < 0) break;
    const end = text.indexOf('}', start);
    const inner = end < 0 ? text.slice(start + 2) : text.slice(start + 2, end);
    const match = /^(?:(events?)\.)?([a-z_]{1,40})(?:\[\]\.([a-z_]{1,40}))?$/.exec(inner);
    if (end < 0 || match === null) {
      throw new ReactorError('template.invalid', `"\${${inner.slice(0, 60)}" is not a placeholder.`, {
        hint: 'Write ${field}, ${event.field}, ${events.field} or ${events.builds[].nvr}; there are no functions.',
      });
    }
    if (start > position) parts.push(text.slice(position, start));
    const scope = match[1] === 'events' ? 'events' : match[1] === 'event' ? 'event' : 'field';
    parts.push({
      text: text.slice(start, end + 1),
      scope,
      field: match[2] ?? '',
      element: match[3] ?? null,
    });
    position = end + 1;
  }
  if (position < text.length) parts.push(text.slice(position));
  return parts;
}

/** The type of what a placeholder yields on a kind of event; null where that kind has no such field. */
export function placeholderType(placeholder: Placeholder, kind: string): FieldType | null {
  const field = fieldsOfKind(kind).get(placeholder.field);
  if (field === undefined) return null;
  if (placeholder.element === null) return field.type;
  if (field.type !== 'builds') return null;
  return (
    new Map<string, { type: FieldType }>(Object.entries(buildFields)).get(placeholder.element)?.type ?? null
  );
}

/**
 * Fills every placeholder of a request body. A string that is one placeholder becomes its value, typed (a number,
 * a sorted list without doubles); inside a longer string only single values fit. Throws `template.empty` where
 * the events do not say, `template.hostile` for a value that is no name or location, `template.too_long`.
 */
export function fillTemplate(value: JsonObject, source: TemplateSource): JsonObject {
  const filled = fillObject(value, source);
  if (JSON.stringify(filled).length > MAX_BODY_BYTES) {
    throw new ReactorError('template.too_long', 'The request made from the events is longer than 1 MiB.');
  }
  return filled;
}

/** Fills a text that must become one name, such as a series. Throws as `fillTemplate` does. */
export function fillName(text: string, source: TemplateSource): string {
  const filled = fillText(text, source);
  if (typeof filled !== 'string' && typeof filled !== 'number') {
    throw new ReactorError('template.not_single', `"${text}" yields a list where one name is wanted.`);
  }
  const name = String(filled);
  if (!isName('series', name)) throw hostile(text, name);
  return name;
}

function fill(value: JsonValue, source: TemplateSource): JsonValue {
  if (typeof value === 'string') return fillText(value, source);
  if (isList(value)) {
    return value.flatMap((element): readonly JsonValue[] => {
      const filled = fill(element, source);
      return typeof element === 'string' && isList(filled) ? filled : [filled];
    });
  }
  return typeof value === 'object' && value !== null ? fillObject(value, source) : value;
}

function fillObject(value: JsonObject, source: TemplateSource): JsonObject {
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, fill(inner, source)]));
}

function isList(value: JsonValue): value is readonly JsonValue[] {
  return Array.isArray(value);
}

function fillText(text: string, source: TemplateSource): JsonValue {
  const parts = parseTemplate(text);
  const [first] = parts;
  if (parts.length === 1 && first !== undefined && typeof first !== 'string') return valueOf(first, source);
  return parts
    .map((part) => {
      if (typeof part === 'string') return part;
      const value = valueOf(part, source);
      if (Array.isArray(value)) {
        throw new ReactorError('template.not_single', `${part.text} yields a list inside a longer text.`, {
          hint: 'Give the placeholder a value of its own.',
        });
      }
      return String(value);
    })
    .join('');
}

function valueOf(placeholder: Placeholder, source: TemplateSource): JsonValue {
  if (placeholder.scope === 'events') {
    const found = new Set<Scalar>();
    for (const event of source.events) collect(placeholder, event, found);
    const list = [...found].sort(compareScalars);
    if (list.length === 0) throw empty(placeholder);
    if (list.length > MAX_LIST) {
      throw new ReactorError('template.too_long', `${placeholder.text} yields ${list.length} values.`, {
        hint: `At most ${MAX_LIST} are placed in a request.`,
      });
    }
    return list;
  }
  const grouped = placeholder.scope === 'field' ? source.group[placeholder.field] : undefined;
  if (grouped !== undefined) return checked(placeholder, grouped, groupType(placeholder, source));
  for (const event of source.events.toReversed()) {
    const found = new Set<Scalar>();
    const isList = collect(placeholder, event, found);
    if (isList && found.size > 0) return [...found].sort(compareScalars);
    const [single] = found;
    if (single !== undefined) return single;
  }
  throw empty(placeholder);
}

function groupType(placeholder: Placeholder, source: TemplateSource): FieldType {
  for (const event of source.events) {
    const type = placeholderType(placeholder, event.event.kind);
    if (type !== null) return type;
  }
  return 'name';
}

/** Adds what one event says to the set; returns whether the field is a list. */
function collect(placeholder: Placeholder, input: InputEvent, found: Set<Scalar>): boolean {
  const type = placeholderType(placeholder, input.event.kind);
  const event: Readonly<Record<string, unknown>> = { ...input, ...input.event };
  const value = event[placeholder.field];
  if (type === null || value === undefined || value === null) return false;
  if (!Array.isArray(value)) {
    if (isScalar(value)) found.add(checked(placeholder, value, type));
    return false;
  }
  for (const element of value) {
    const inner: unknown = placeholder.element === null ? element : readElement(element, placeholder.element);
    for (const value of Array.isArray(inner) ? inner : [inner]) {
      if (isScalar(value)) found.add(checked(placeholder, value, type === 'names' ? 'name' : type));
    }
  }
  return true;
}

function readElement(element: unknown, field: string): unknown {
  return typeof element === 'object' && element !== null
    ? Object.entries(element).find(([key]) => key === field)?.[1]
    : undefined;
}

function checked(placeholder: Placeholder, value: Scalar, type: FieldType): Scalar {
  if (typeof value === 'boolean') return value;
  if (typeof value === 'number') {
    if (Number.isSafeInteger(value)) return value;
    throw hostile(placeholder.text, String(value));
  }
  const isFine =
    type === 'location'
      ? locationPattern.test(value) && !value.split('/').includes('..')
      : type !== 'text' && isName('placed', value);
  if (!isFine) throw hostile(placeholder.text, value);
  return value;
}

function isScalar(value: unknown): value is Scalar {
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean';
}

function compareScalars(left: Scalar, right: Scalar): number {
  if (typeof left === 'number' && typeof right === 'number') return left - right;
  const a = String(left);
  const b = String(right);
  return a < b ? -1 : a > b ? 1 : 0;
}

function empty(placeholder: Placeholder): ReactorError {
  return new ReactorError('template.empty', `No event of the window says ${placeholder.text}.`, {
    hint: 'Match on the field, or give the value in the rule.',
  });
}

function hostile(where: string, value: string): ReactorError {
  const shown = JSON.stringify(
    value.length > 60 ? `${value.slice(0, 60)}… (${value.length} characters)` : value,
  );
  return new ReactorError(
    'template.hostile',
    `${where} yields ${shown}, which is not allowed in a request.`,
    {
      hint: 'Names are letters, digits and . _ + : ~ ^ -, beginning with a letter or digit, at most 201 long.',
    },
  );
}

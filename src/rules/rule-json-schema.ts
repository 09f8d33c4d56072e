import type { z } from 'zod';
import { fieldsOfKind, ruleEventKinds } from '../model/event-catalogue.ts';
import { requestKeys, requestSourceKeys, requestWords } from '../model/request-keys.ts';
import { sourceTypeNames } from '../source-types.ts';
import {
  DAY_PATTERN,
  dayNames,
  requirementChecks,
  TIME_PATTERN,
  type RequirementParameter,
} from './requirement-names.ts';

type Schema = z.core.JSONSchema.BaseSchema;

const template: Schema = { type: 'string', pattern: '\\$\\{' };
const glob: Schema = { type: 'string', pattern: '[*?]' };
const shapes = {
  text: { type: 'string' },
  number: { type: 'number' },
  list: { type: 'array' },
  object: { type: 'object' },
  switch: { type: 'boolean' },
} as const satisfies Record<(typeof requestKeys)[string], Schema>;

/** Returns the name under which the schema defines what may be asked of a field that has these words alone. */
export function wordsName(words: readonly string[]): string {
  return `word.${words.join('.').replaceAll(/[^A-Za-z0-9_.-]/g, '_')}`;
}

/** Returns, by name, what may be asked of fields of closed lists: words, patterns, lists of both, operators. */
export function wordDefinitions(): Readonly<Record<string, Schema>> {
  const lists = ruleEventKinds.flatMap((kind) =>
    [...fieldsOfKind(kind).values()].flatMap(({ words }) => (words === undefined ? [] : [words])),
  );
  return Object.fromEntries(
    lists.flatMap((words): [string, Schema][] => {
      const name = wordsName(words);
      const exact: Schema = { enum: [...words] };
      const some: Schema = { anyOf: [exact, glob] };
      const value: Schema = { $ref: `#/$defs/${name}.value` };
      const values: Schema = { anyOf: [value, { type: 'array', items: value }] };
      const operators: Schema = { $ref: '#/$defs/operators', properties: { in: values, not: values } };
      return [
        [`${name}.value`, some],
        [name, { anyOf: [...(values.anyOf ?? []), operators] }],
      ];
    }),
  );
}

/** Returns the schema of `compose:`, the keys of a request with the words of those that have a closed list. */
export function composeJsonSchema(): Schema {
  const source: Schema = {
    type: 'object',
    properties: { ...propertiesOf(requestSourceKeys), source: {}, type: { enum: [...sourceTypeNames] } },
    required: ['type'],
    additionalProperties: false,
  };
  return {
    type: 'object',
    description: 'the ODCS request body, with ${field}, ${event.field}, ${events.field}',
    properties: { ...propertiesOf(requestKeys), source },
    required: ['source'],
    additionalProperties: false,
  };
}

function propertiesOf(keys: typeof requestKeys): Record<string, Schema> {
  return Object.fromEntries(
    Object.entries(keys).map(([key, shape]): [string, Schema] => {
      const words = requestWords[key];
      const items: Schema = words === undefined ? {} : { anyOf: [{ enum: [...words] }, template] };
      return [key, { anyOf: [shape === 'list' ? { type: 'array', items } : shapes[shape], template] }];
    }),
  );
}

/** Returns the schema of `require:`, the state checks with their parameters. */
export function requireJsonSchema(): Schema {
  const properties = Object.entries(requirementChecks).map(([check, parameters]) => {
    const required = Object.entries(parameters).flatMap(([name, { isRequired }]) =>
      isRequired ? [name] : [],
    );
    const shape: Schema = {
      properties: Object.fromEntries(
        Object.entries(parameters).map(([name, parameter]) => [name, parameterJsonSchema(parameter)]),
      ),
      required,
      additionalProperties: false,
    };
    return [check, { type: 'object', ...shape }];
  });
  const check: Schema = {
    type: 'object',
    properties: Object.fromEntries(properties),
    additionalProperties: false,
  };
  return {
    type: 'array',
    maxItems: 20,
    default: [],
    items: check,
    description: 'state checks, all must be met',
  };
}

function parameterJsonSchema({ shape, words }: RequirementParameter): Schema {
  const word: Schema = words === undefined ? { type: 'string' } : { anyOf: [{ enum: [...words] }, template] };
  const listOf = (items: Schema): Schema => ({ anyOf: [items, { type: 'array', items }] });
  switch (shape) {
    case 'text':
      return word;
    case 'list':
      return listOf(word);
    case 'days':
      return listOf({ anyOf: [{ enum: [...dayNames] }, { type: 'string', pattern: DAY_PATTERN }, template] });
    case 'switch':
      return { anyOf: [{ type: 'boolean' }, template] };
    case 'time':
      return { anyOf: [{ type: 'string', pattern: TIME_PATTERN }, template] };
    default:
      return shape satisfies never;
  }
}

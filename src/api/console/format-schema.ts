import type { ApiApp } from '../context.ts';

type ApiDocument = ReturnType<ApiApp['getOpenAPI31Document']>;
type Schemas = NonNullable<NonNullable<ApiDocument['components']>['schemas']>;
/** A schema of the API's description, or the name of one. */
export type Schema = Schemas[string];

const DEEPEST = 8;

/** Returns a schema as people read it: nearly TypeScript, with what each member is behind it. */
export function formatSchema(schema: Schema, depth = 0): string {
  if (depth > DEEPEST) return '…';
  if ('$ref' in schema && schema.$ref !== undefined) return schema.$ref.replace(/^.*\//, '');
  if (!isPlain(schema)) return '…';
  const inside = (other: Schema): string => formatSchema(other, depth + 1);
  const { anyOf, oneOf, allOf, enum: values, items, properties, additionalProperties } = schema;
  const choices = anyOf ?? oneOf;
  if (choices !== undefined) return [...new Set(choices.map(inside))].join(' | ');
  if (allOf !== undefined) return allOf.map(inside).join(' & ');
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  if (values !== undefined) return values.map((value) => JSON.stringify(value)).join(' | ');
  if (properties !== undefined) return formatMembers(schema, depth);
  const types = typeof schema.type === 'string' ? [schema.type] : (schema.type ?? ['any']);
  return types
    .map((type) => {
      if (type === 'array') return items === undefined ? 'any[]' : `${bracketed(inside(items))}[]`;
      if (type !== 'object') return type;
      return typeof additionalProperties === 'object'
        ? `{ [name]: ${inside(additionalProperties)} }`
        : 'object';
    })
    .join(' | ');
}

type PlainSchema = Extract<Schema, { readonly properties?: unknown }>;

function isPlain(schema: Schema): schema is PlainSchema {
  return !('$ref' in schema);
}

function bracketed(type: string): string {
  return type.includes(' | ') ? `(${type})` : type;
}

function formatMembers({ properties = {}, required = [] }: PlainSchema, depth: number): string {
  const indent = '  '.repeat(depth + 1);
  const lines = Object.entries(properties).map(([name, member]) => {
    const told =
      'description' in member && member.description !== undefined ? `  # ${member.description}` : '';
    const type = formatSchema(member, depth + 1);
    return `${indent}${name}${required.includes(name) ? '' : '?'}: ${type}${told}`;
  });
  return `{\n${lines.join('\n')}\n${'  '.repeat(depth)}}`;
}

import type { Schema } from './api-document.ts';

/** The classes that a document needs, and how its schemas are written in Python. */
export class PythonTypes {
  readonly #schemas: Readonly<Record<string, Schema>>;
  readonly #declared = new Map<string, string>();

  /** Declares the named schemas of a document. */
  constructor(schemas: Readonly<Record<string, Schema>>) {
    this.#schemas = schemas;
    for (const [name, schema] of Object.entries(schemas)) {
      const type = this.typeOf(schema, name);
      if (type !== name) this.#declared.set(name, `${name}: TypeAlias = ${quote(type)}`);
    }
  }

  /** Returns every declaration, in any order: they name each other as texts. */
  declarations(): string {
    return [...this.#declared.values()].join('\n\n');
  }

  /** Returns the type of a schema, for which a class may be declared under a name. */
  typeOf(schema: Schema, name: string): string {
    const { $ref, anyOf, oneOf, allOf } = schema;
    if ($ref !== undefined) return nameOf($ref);
    const choices = anyOf ?? oneOf;
    if (choices !== undefined) {
      return joinTypes(choices.map((choice, index) => this.typeOf(choice, `${name}${index + 1}`)));
    }
    if (allOf !== undefined) return this.#declare(this.#merge(allOf), name);
    const values = schema.const === undefined ? schema.enum : [schema.const];
    if (values !== undefined) return `Literal[${values.map(literal).join(', ')}]`;
    const types = typeof schema.type === 'string' ? [schema.type] : (schema.type ?? ['any']);
    return joinTypes(types.map((type) => this.#simpleType(type, schema, name)));
  }

  #simpleType(type: string, schema: Schema, name: string): string {
    const { items = {}, properties, additionalProperties } = schema;
    switch (type) {
      case 'string':
        return 'str';
      case 'integer':
        return 'int';
      case 'number':
        return 'float';
      case 'boolean':
        return 'bool';
      case 'null':
        return 'None';
      case 'array':
        return `list[${this.typeOf(items, `${name}Item`)}]`;
      case 'object': {
        if (properties !== undefined) return this.#declare(schema, name);
        const member = typeof additionalProperties === 'object' ? additionalProperties : {};
        return `dict[str, ${this.typeOf(member, `${name}Value`)}]`;
      }
      default:
        return 'Any';
    }
  }

  #declare({ properties = {}, required = [] }: Schema, name: string): string {
    const lines = Object.entries(properties).map(([key, member]) => {
      const type = this.typeOf(member, `${name}${camelCase(key)}`);
      return `        ${quote(key)}: ${quote(required.includes(key) ? type : `NotRequired[${type}]`)},\n`;
    });
    this.#declared.set(name, `${name} = TypedDict(\n    ${quote(name)},\n    {\n${lines.join('')}    },\n)`);
    return name;
  }

  #merge(parts: readonly Schema[]): Schema {
    const whole = parts.map((part) =>
      part.$ref === undefined ? part : (this.#schemas[nameOf(part.$ref)] ?? {}),
    );
    return {
      properties: Object.assign({}, ...whole.map(({ properties = {} }) => properties)) as Record<
        string,
        Schema
      >,
      required: whole.flatMap(({ required = [] }) => required),
    };
  }
}

function nameOf(ref: string): string {
  return ref.replace(/^.*\//, '');
}

function camelCase(key: string): string {
  return key.replaceAll(/(?:^|[^A-Za-z0-9]+)([A-Za-z0-9])/g, (_all, letter: string) => letter.toUpperCase());
}

function joinTypes(types: readonly string[]): string {
  return [...new Set(types)].join(' | ');
}

/** Returns a text as Python writes it; JSON's escapes are Python's, too. */
export function quote(text: string): string {
  return JSON.stringify(text);
}

function literal(value: string | number | boolean | null): string {
  if (value === null) return 'None';
  if (typeof value === 'boolean') return value ? 'True' : 'False';
  return typeof value === 'string' ? quote(value) : String(value);
}

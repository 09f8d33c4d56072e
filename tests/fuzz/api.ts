import { z } from 'zod';
import { openTestApi, type CallOptions, type TestApi } from '../api/open-test-api.ts';
import type { FuzzRun } from './main.ts';
import { Random } from './random.ts';

/** What of a schema of our OpenAPI document says how a value looks. */
interface Shape {
  readonly $ref?: string | undefined;
  readonly type?: string | readonly string[] | undefined;
  readonly enum?: readonly unknown[] | undefined;
  readonly items?: Shape | undefined;
  readonly properties?: Readonly<Record<string, Shape>> | undefined;
  readonly anyOf?: readonly Shape[] | undefined;
  readonly oneOf?: readonly Shape[] | undefined;
}
const shapeSchema: z.ZodType<Shape> = z.lazy(() =>
  z.object({
    $ref: z.string().optional(),
    type: z.union([z.string(), z.array(z.string())]).optional(),
    enum: z.array(z.unknown()).optional(),
    items: shapeSchema.optional(),
    properties: z.record(z.string(), shapeSchema).optional(),
    anyOf: z.array(shapeSchema).optional(),
    oneOf: z.array(shapeSchema).optional(),
  }),
);
const content = z.record(z.string(), z.object({ schema: shapeSchema.optional() }));
const operationSchema = z.object({
  parameters: z
    .array(z.object({ name: z.string(), in: z.string(), schema: shapeSchema.optional() }))
    .default([]),
  requestBody: z.object({ content }).optional(),
  responses: z.record(z.string(), z.object({ content: content.optional() })).default({}),
});
const methods = ['get', 'head', 'post', 'put', 'patch', 'delete', 'options'] as const;
const documentSchema = z.object({
  paths: z.record(z.string(), z.partialRecord(z.enum(methods), operationSchema)),
  components: z.object({ schemas: z.record(z.string(), shapeSchema).default({}) }).optional(),
});

interface Operation extends z.infer<typeof operationSchema> {
  readonly path: string;
  readonly method: string;
}

/** A call that takes longer hangs; others work on this machine, too. */
const MOST_MILLISECONDS = 20_000;
const MEGABYTES = 1024;
const DEEPEST = 6;

const odd: readonly [unknown, ...unknown[]] = [
  null,
  true,
  0,
  -1,
  1.5,
  Number.MAX_VALUE,
  2 ** 53,
  2 ** 70,
  '',
  ' ',
  '\0',
  '\ud800',
  '٣',
  '../../etc/passwd',
  "' or 1=1 --",
  '%00',
  '💥',
  'x'.repeat(5_000),
  [],
  [[[[]]]],
  [null],
  {},
  { __proto__: 1 },
  JSON.parse('{"__proto__": {"x": 1}, "constructor": "toString"}'),
];
/** Values that mean something here, so that more than the first check is reached. */
const known: readonly [string, ...string[]] = [
  'tag',
  'module',
  'build',
  'repo',
  'pulp',
  'raw_config',
  'compose',
  'f40',
  'nodejs:20',
  'bash-5.2-1.fc40',
  'x86_64',
  'no_deps',
  'repository',
  'done',
  '-id',
  'default',
  '1',
  '7',
  'RC-1.0',
  '2026-11-22T10:00:00Z',
];

class CallMaker {
  readonly #random: Random;
  readonly #schemas: Readonly<Record<string, Shape>>;

  constructor(random: Random, schemas: Readonly<Record<string, Shape>>) {
    this.#random = random;
    this.#schemas = schemas;
  }

  /** Returns a call of an operation, sometimes as it is meant and mostly not quite. */
  make({ path, method, parameters, requestBody }: Operation): {
    readonly path: string;
    readonly options: CallOptions;
  } {
    const random = this.#random;
    const filled = path.replace(/\{(\w+)\}/g, () => encodeURIComponent(this.#text()));
    const query = new URLSearchParams();
    for (const { name, in: place } of parameters) {
      // A wait that is granted is no hang.
      if (place !== 'query' || random.below(3) === 0) continue;
      query.append(name, name === 'wait' ? random.pick(['0', '-5', 'abc', 'Infinity2']) : this.#text());
    }
    if (random.below(8) === 0) query.append(this.#text(), this.#text());
    const headers: Record<string, string> = {};
    if (random.below(4) !== 0) headers['content-type'] = random.pick(['application/json', 'text/plain', '*']);
    if (random.below(6) === 0) headers['idempotency-key'] = random.pick(['a', 'b', 'x'.repeat(300)]);
    if (random.below(6) === 0) headers['if-none-match'] = random.pick(['*', '"x"', 'W/"x", "y"']);
    if (random.below(8) === 0) headers['range'] = random.pick(['bytes=0-', 'bytes=-1', 'bytes=9-1', 'x']);
    const shape = Object.values(requestBody?.content ?? {})[0]?.schema;
    const hasBody = shape !== undefined || (method !== 'get' && method !== 'head' && random.below(3) === 0);
    return {
      path: `${filled}?${query.toString()}`,
      options: { headers, ...(hasBody ? { text: this.#body(shape ?? {}) } : {}) },
    };
  }

  #body(shape: Shape): string {
    const random = this.#random;
    const text = JSON.stringify(this.#value(shape, 0)) ?? '';
    switch (random.below(12)) {
      case 0:
        return text.slice(0, random.below(text.length + 1));
      case 1:
        return '['.repeat(1 + random.below(10_000));
      case 2:
        return `\ufeff${text}`;
      default:
        return text;
    }
  }

  #value(shape: Shape, depth: number): unknown {
    const random = this.#random;
    if (depth > DEEPEST || random.below(10) === 0) return random.pick(odd);
    if (shape.$ref !== undefined) {
      return this.#value(this.#schemas[shape.$ref.replace(/^.*\//, '')] ?? {}, depth + 1);
    }
    const choices = shape.anyOf ?? shape.oneOf ?? [];
    if (choices.length > 0) return this.#value(choices[random.below(choices.length)] ?? {}, depth + 1);
    if (shape.enum !== undefined) return shape.enum[random.below(shape.enum.length)];
    const type = typeof shape.type === 'object' ? shape.type[random.below(shape.type.length)] : shape.type;
    switch (type) {
      case 'object':
        return Object.fromEntries(
          Object.entries(shape.properties ?? {}).flatMap(([name, member]) =>
            random.below(2) === 0 ? [] : [[name, this.#value(member, depth + 1)] as const],
          ),
        );
      case 'array':
        return Array.from({ length: random.below(4) }, () => this.#value(shape.items ?? {}, depth + 1));
      case 'integer':
      case 'number':
        return random.below(1_000_000) - 10;
      case 'boolean':
        return random.below(2) === 0;
      case 'null':
        return null;
      default:
        return random.pick(known);
    }
  }

  #text(): string {
    const random = this.#random;
    if (random.below(2) === 0) return random.pick(known);
    const value = random.pick(odd);
    // An URL can hold no half of a letter.
    const text = typeof value === 'string' ? value.toWellFormed() : (JSON.stringify(value) ?? '');
    return text.slice(0, 2_000);
  }
}

async function listOperations(api: TestApi): Promise<{
  readonly operations: readonly [Operation, ...Operation[]];
  readonly schemas: Readonly<Record<string, Shape>>;
}> {
  const { json } = await api.call('GET', '/api/1/openapi.json');
  const { paths, components } = documentSchema.parse(json);
  const all = Object.entries(paths).flatMap(([path, byMethod]) =>
    methods.flatMap((method): Operation[] => {
      const operation = byMethod[method];
      return operation === undefined || isStream(operation) ? [] : [{ ...operation, path, method }];
    }),
  );
  const [first, ...rest] = all;
  if (first === undefined) throw new Error('The document of the API names no operation.');
  return { operations: [first, ...rest], schemas: components?.schemas ?? {} };
}

/** Streams do not end by themselves. */
function isStream({ responses }: z.infer<typeof operationSchema>): boolean {
  return Object.values(responses).some((response) =>
    Object.hasOwn(response.content ?? {}, 'text/event-stream'),
  );
}

/**
 * Calls every operation of our own OpenAPI document with values that are nearly right, and all wrong. An answer of 500
 * or more, a call of 20 s, or 1 GiB of process memory ends it with an error.
 */
export async function fuzz({ seed, lasting }: FuzzRun): Promise<number> {
  await using api = await openTestApi();
  const random = new Random(seed);
  const { operations, schemas } = await listOperations(api);
  const maker = new CallMaker(random, schemas);
  const seen = new Map<number, number>();
  let cases = 0;
  const until = Date.now() + lasting;
  while (Date.now() < until) {
    const operation = random.pick(operations);
    const { path, options } = maker.make(operation);
    const begin = Date.now();
    const answer = await api.call(operation.method.toUpperCase(), path, options);
    const what = `Case ${cases} of seed ${seed}: ${operation.method} ${path} ${options.text ?? ''}`;
    if (answer.status >= 500) throw new Error(`${what} is answered by ${answer.status}: ${answer.text}`);
    if (Date.now() - begin > MOST_MILLISECONDS) throw new Error(`${what} hangs.`);
    if (answer.status >= 400 && operation.method !== 'head' && typeof answer.json['code'] !== 'string') {
      throw new Error(`${what} is refused (${answer.status}) without a code: ${answer.text.slice(0, 500)}`);
    }
    seen.set(answer.status, (seen.get(answer.status) ?? 0) + 1);
    cases += 1;
    if (cases % 2_000 === 0) await api.reset();
    if (cases % 256 === 0 && process.memoryUsage.rss() > MEGABYTES * 2 ** 20) {
      throw new Error(`Case ${cases} of seed ${seed} needs more than ${MEGABYTES} MiB.`);
    }
  }
  const statuses = [...seen]
    .sort(([left], [other]) => left - other)
    .map(([status, count]) => `${count} × ${status}`);
  process.stdout.write(
    `${operations.length} operations: ${statuses.join(', ')}; ${Math.round(process.memoryUsage.rss() / 2 ** 20)} MiB\n`,
  );
  return cases;
}

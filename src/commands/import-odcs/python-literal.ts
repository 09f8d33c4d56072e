/** A value as JSON has it: tuples and sets are lists. */
export type PythonValue =
  null | boolean | number | string | readonly PythonValue[] | { readonly [key: string]: PythonValue };

/** Finds what a name stands for; undefined where that is not known. */
export type LookUp = (name: string) => PythonValue | undefined;

const TOKEN =
  /\s*(?:(?<prefix>[rRbBuUfF]{0,2})(?<string>"""(?:\\[^]|[^\\])*?"""|'''(?:\\[^]|[^\\])*?'''|"(?:\\[^]|[^\\"])*"|'(?:\\[^]|[^\\'])*')|(?<number>\d[\d_]*(?:\.\d+)?)|(?<name>[A-Za-z_]\w*)|(?<sign>\*\*|\/\/|[-+*[\](){},:])|(?<end>$))/y;

type Token =
  | { readonly kind: 'value'; readonly value: PythonValue }
  | { readonly kind: 'name'; readonly name: string }
  | { readonly kind: 'sign'; readonly sign: string };

/** Why a value is not read: it is no literal. The message is the beginning of a sentence: `it calls …`. */
export class NoLiteral extends Error {}

const words: Readonly<Record<string, PythonValue>> = { None: null, True: true, False: false };
const escapes: Readonly<Record<string, string>> = { n: '\n', t: '\t', r: '\r', '\n': '', '0': '\0' };

/**
 * Reads a literal of Python, with the names that `lookUp` knows, and sums and products of numbers. Nothing is run. Throws
 * `NoLiteral` for anything else.
 */
export function readPythonLiteral(text: string, lookUp: LookUp): PythonValue {
  const reader = new LiteralReader(tokensOf(text), lookUp);
  return reader.readAll();
}

function tokensOf(text: string): Token[] {
  const tokens: Token[] = [];
  const pattern = new RegExp(TOKEN);
  for (;;) {
    const groups = pattern.exec(text)?.groups;
    if (groups === undefined) throw new NoLiteral('it is more than a literal');
    const { prefix = '', string, number, name, sign } = groups;
    if (string !== undefined) tokens.push({ kind: 'value', value: stringOf(prefix, string) });
    else if (number !== undefined) tokens.push({ kind: 'value', value: Number(number.replaceAll('_', '')) });
    else if (name !== undefined) {
      const value = Object.hasOwn(words, name) ? words[name] : undefined;
      tokens.push(value === undefined ? { kind: 'name', name } : { kind: 'value', value });
    } else if (sign === undefined) return tokens;
    else tokens.push({ kind: 'sign', sign });
  }
}

function stringOf(prefix: string, literal: string): string {
  const quotes = /^(?:"""|''')/.test(literal) ? 3 : 1;
  const body = literal.slice(quotes, -quotes);
  if (/f/i.test(prefix) && /[{}]/.test(body)) throw new NoLiteral('it is put together by an f-string');
  if (/r/i.test(prefix)) return body;
  return body.replace(/\\(x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|[^])/g, (whole, what: string) => {
    if (what.length > 1) return String.fromCharCode(Number.parseInt(what.slice(1), 16));
    if (/[\\'"]/.test(what)) return what;
    return escapes[what] ?? whole;
  });
}

class LiteralReader {
  readonly #tokens: readonly Token[];
  readonly #lookUp: LookUp;
  #at = 0;

  constructor(tokens: readonly Token[], lookUp: LookUp) {
    this.#tokens = tokens;
    this.#lookUp = lookUp;
  }

  readAll(): PythonValue {
    const first = this.#sum();
    const value = this.#isNext(',') ? [first, ...this.#items(null)] : first;
    if (this.#at < this.#tokens.length) throw new NoLiteral('it is more than a literal');
    return value;
  }

  #isNext(sign: string): boolean {
    const token = this.#tokens[this.#at];
    if (token?.kind !== 'sign' || token.sign !== sign) return false;
    this.#at += 1;
    return true;
  }

  #sum(): PythonValue {
    let value = this.#product();
    for (;;) {
      if (this.#isNext('+')) value = added(value, this.#product());
      else if (this.#isNext('-')) value = numberOf(value) - numberOf(this.#product());
      else return value;
    }
  }

  #product(): PythonValue {
    let value = this.#single();
    while (this.#isNext('*')) value = numberOf(value) * numberOf(this.#single());
    return value;
  }

  #single(): PythonValue {
    if (this.#isNext('-')) return -numberOf(this.#single());
    if (this.#isNext('[')) return this.#items(']');
    if (this.#isNext('(')) return this.#parenthesis();
    if (this.#isNext('{')) return this.#braces();
    const token = this.#tokens[this.#at];
    if (token === undefined || token.kind === 'sign') throw new NoLiteral('it is more than a literal');
    this.#at += 1;
    return token.kind === 'name' ? this.#named(token.name) : this.#joined(token.value);
  }

  #named(name: string): PythonValue {
    if (this.#isNext('(')) {
      // `set(["a"])`, `dict()` and the like are literals to whoever writes a configuration.
      const items = this.#items(')');
      const isList = ['set', 'frozenset', 'list', 'tuple'].includes(name) && items.length <= 1;
      if (!isList) throw new NoLiteral(`it calls ${name}`);
      const [inner = []] = items;
      if (!Array.isArray(inner)) throw new NoLiteral(`it calls ${name}`);
      return inner;
    }
    const found = this.#lookUp(name);
    if (found === undefined) throw new NoLiteral(`it uses ${name}, which is not known here`);
    return found;
  }

  /** Strings beside each other are one. */
  #joined(value: PythonValue): PythonValue {
    if (typeof value !== 'string') return value;
    let whole = value;
    for (;;) {
      const token = this.#tokens[this.#at];
      if (token?.kind !== 'value' || typeof token.value !== 'string') return whole;
      whole += token.value;
      this.#at += 1;
    }
  }

  /** Reads members up to a bracket, or up to the end. */
  #items(closing: string | null): PythonValue[] {
    const items: PythonValue[] = [];
    for (;;) {
      if (closing === null ? this.#at >= this.#tokens.length : this.#isNext(closing)) return items;
      items.push(this.#sum());
      if (this.#isNext(',')) continue;
      if (closing === null ? this.#at >= this.#tokens.length : this.#isNext(closing)) return items;
      throw new NoLiteral('it is more than a literal');
    }
  }

  /** What is in parentheses is a tuple where there is a comma. */
  #parenthesis(): PythonValue {
    if (this.#isNext(')')) return [];
    const first = this.#sum();
    if (this.#isNext(')')) return first;
    if (this.#isNext(',')) return [first, ...this.#items(')')];
    throw new NoLiteral('it is more than a literal');
  }

  #braces(): PythonValue {
    if (this.#isNext('}')) return {};
    const first = this.#sum();
    if (!this.#isNext(':')) {
      if (this.#isNext('}')) return [first];
      if (this.#isNext(',')) return [first, ...this.#items('}')];
      throw new NoLiteral('it is more than a literal');
    }
    const entries: [string, PythonValue][] = [[keyOf(first), this.#sum()]];
    while (!this.#isNext('}')) {
      if (!this.#isNext(',')) throw new NoLiteral('it is more than a literal');
      if (this.#isNext('}')) break;
      const key = keyOf(this.#sum());
      if (!this.#isNext(':')) throw new NoLiteral('it is more than a literal');
      entries.push([key, this.#sum()]);
    }
    return Object.fromEntries(entries);
  }
}

function keyOf(value: PythonValue): string {
  if (typeof value === 'string' || typeof value === 'number') return String(value);
  throw new NoLiteral('a key of it is neither text nor number');
}

function numberOf(value: PythonValue): number {
  if (typeof value === 'number') return value;
  throw new NoLiteral('it reckons with more than numbers');
}

function added(left: PythonValue, right: PythonValue): PythonValue {
  if (typeof left === 'string' && typeof right === 'string') return left + right;
  if (isPythonList(left) && isPythonList(right)) return [...left, ...right];
  return numberOf(left) + numberOf(right);
}

function isPythonList(value: PythonValue): value is readonly PythonValue[] {
  return Array.isArray(value);
}

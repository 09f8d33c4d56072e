import { messageOf } from '../../model/errors.ts';
import { syntaxError, tokenizeConfig, type ConfigToken, type TokenKind } from './config-tokens.ts';
import { reprOfValue, type ConfigDictionary, type ConfigKey, type ConfigValue } from './config-value.ts';
import { formatText } from './format-text.ts';

/** What one file of a configuration defines. */
export interface ParsedConfig {
  readonly values: Map<string, ConfigValue>;
  /** Names that files imported after their declaration see. */
  readonly globals: Set<string>;
  /** How many words, numbers and signs the file has. */
  readonly tokens: number;
}

/** Parses the file that an import names, which sees the values of the globals. */
export type ImportConfig = (name: string, globals: ReadonlyMap<string, ConfigValue>) => ParsedConfig;

const keywords = new Set(
  (
    'False None True and as assert async await break class continue def del elif else except finally for from ' +
    'global if import in is lambda nonlocal not or pass raise return try while with yield'
  ).split(' '),
);
/** How deep lists and dictionaries may lie in each other. */
const DEPTH_LIMIT = 64;

/**
 * Parses a file of Pungi's configuration language. `where` is its path as errors name it. Throws
 * `main.config_syntax`, `main.config_too_large` and what `importConfig` throws. Source: main compose contract 2.
 */
export function parseConfig(
  content: string,
  where: string,
  seen: ReadonlyMap<string, ConfigValue>,
  importConfig: ImportConfig,
): ParsedConfig {
  return new ConfigParser(tokenizeConfig(content, where), where, seen, importConfig).parse();
}

class ConfigParser {
  readonly #tokens: readonly ConfigToken[];
  readonly #where: string;
  readonly #import: ImportConfig;
  readonly #values: Map<string, ConfigValue>;
  readonly #globals: Set<string>;
  #at = -1;
  #depth = 0;

  constructor(
    tokens: readonly ConfigToken[],
    where: string,
    seen: ReadonlyMap<string, ConfigValue>,
    importConfig: ImportConfig,
  ) {
    this.#tokens = tokens;
    this.#where = where;
    this.#values = new Map(seen);
    this.#globals = new Set(seen.keys());
    this.#import = importConfig;
  }

  parse(): ParsedConfig {
    for (;;) {
      this.#next();
      let isGlobal = false;
      if (this.#is('NAME', 'from')) {
        this.#parseImport();
        continue;
      }
      if (this.#is('NAME', 'global')) {
        isGlobal = true;
        this.#next();
      }
      const { kind, text } = this.#token;
      if (keywords.has(text)) throw this.#error(`Cannot assign to a python keyword: ${text}`);
      if (kind === 'ENDMARKER')
        return { values: this.#values, globals: this.#globals, tokens: this.#tokens.length };
      this.#expect(['NAME']);
      if (isGlobal) {
        this.#set(text, null);
        this.#globals.add(text);
      } else {
        this.#next();
        this.#expect(['OP', '=']);
        this.#next();
        this.#set(text, this.#parseValue('any'));
      }
    }
  }

  get #token(): ConfigToken {
    const token = this.#tokens[Math.min(Math.max(this.#at, 0), this.#tokens.length - 1)];
    if (token === undefined) throw new Error('a file of no tokens');
    return token;
  }

  #next(lineBreaks: 'skipped' | 'kept' = 'skipped'): void {
    this.#at += 1;
    if (lineBreaks === 'kept') return;
    while (this.#is('NL') || this.#is('NEWLINE')) this.#at += 1;
  }

  #is(kind: TokenKind, text?: string): boolean {
    const token = this.#token;
    return token.kind === kind && (text === undefined || token.text === text);
  }

  #expect(...allowed: readonly (readonly [TokenKind, string?])[]): void {
    if (allowed.some(([kind, text]) => this.#is(kind, text))) return;
    throw this.#error(`Invalid syntax: ${this.#place()}`);
  }

  #place(): string {
    const { begin, end, line } = this.#token;
    return `file: ${this.#where}, begin: (${begin.join(', ')}), end: (${end.join(', ')}), text: ${line}`;
  }

  #error(sentence: string, kind?: string): Error {
    return syntaxError(sentence, `${this.#where}:${this.#token.begin[0]}`, kind);
  }

  #set(name: string, value: ConfigValue): void {
    if (name.startsWith('_')) throw this.#error(reprOfValue(name), 'KeyError');
    this.#values.set(name, value);
  }

  #parseValue(allowed: 'any' | 'plain'): ConfigValue {
    const { kind, text } = this.#token;
    if (kind === 'NAME') return this.#valueOfName(text);
    if (kind === 'NUMBER') return this.#numberOf(text);
    if (kind === 'STRING') return this.#parseString(text);
    if (this.#is('OP', '-')) {
      this.#next();
      this.#expect(['NUMBER']);
      return -this.#numberOf(this.#token.text);
    }
    if (kind === 'OP' && allowed === 'any') {
      if (text === '{') return this.#nested(() => this.#parseDictionary());
      if (text === '[') return this.#nested(() => this.#parseItems(']'));
      if (text === '(') return this.#nested(() => ({ tuple: this.#parseItems(')') }));
    }
    throw this.#error(`Invalid syntax: ${this.#place()}`);
  }

  #nested<T>(parse: () => T): T {
    this.#depth += 1;
    if (this.#depth > DEPTH_LIMIT)
      throw this.#error(`Values lie more than ${DEPTH_LIMIT} deep in each other.`);
    const value = parse();
    this.#depth -= 1;
    return value;
  }

  #valueOfName(name: string): ConfigValue {
    if (name === 'True') return true;
    if (name === 'False') return false;
    if (name === 'None') return null;
    const value = this.#values.get(name);
    if (value !== undefined) return value;
    throw this.#error(`Undefined variable ${reprOfValue(name)}: ${this.#place()}`);
  }

  #numberOf(text: string): number {
    const isWhole = !text.includes('.');
    const pattern = isWhole ? /^\d+(?:_\d+)*$/ : /^[\d_]*\.[\d_]*(?:[eE][+-]?\d+)?$/;
    if (pattern.test(text)) return Number(text.replaceAll('_', ''));
    throw this.#error(
      isWhole
        ? `invalid literal for int() with base 10: ${reprOfValue(text)}`
        : `could not convert string to float: ${reprOfValue(text)}`,
      'ValueError',
    );
  }

  #parseString(text: string): ConfigValue {
    const bare = text.slice(1, -1);
    const follower = this.#tokens[this.#at + 1];
    if (follower?.text !== '%') return bare;
    this.#next();
    this.#next();
    const values = this.#parseValue('any');
    try {
      return formatText(bare, values);
    } catch (error) {
      const [kind = '', ...rest] = messageOf(error).split(': ');
      throw this.#error(rest.join(': '), kind);
    }
  }

  #skipCommas(lineBreaks: 'skipped' | 'kept' = 'skipped'): void {
    while (this.#is('OP', ',')) this.#next(lineBreaks);
  }

  #parseItems(end: ']' | ')'): ConfigValue[] {
    const items: ConfigValue[] = [];
    for (;;) {
      this.#next();
      this.#skipCommas();
      if (this.#is('OP', end)) return items;
      items.push(this.#parseValue('any'));
    }
  }

  #parseDictionary(): ConfigDictionary {
    const result = new Map<ConfigKey, ConfigValue>();
    for (;;) {
      this.#next();
      this.#skipCommas();
      if (this.#is('OP', '}')) return result;
      const key = this.#parseValue('plain');
      if (typeof key === 'object' && key !== null) throw this.#error('unhashable type', 'TypeError');
      if (result.has(key)) {
        const line = this.#token.begin[0];
        throw this.#error(`Duplicate dict key ${reprOfValue(key)} in file ${this.#where} on line ${line}`);
      }
      this.#next();
      this.#expect(['OP', ':']);
      this.#next();
      result.set(key, this.#parseValue('any'));
    }
  }

  /** `from NAME import a, b` or `*`; the name is made of whatever stands before `import`. */
  #parseImport(): void {
    let name = '';
    for (this.#next(); !this.#is('NAME', 'import'); this.#next()) {
      if (this.#is('ENDMARKER')) throw this.#error(`Invalid syntax: ${this.#place()}`);
      name += this.#token.text;
    }
    const imports: string[] = [];
    this.#next();
    while (!this.#is('NL') && !this.#is('NEWLINE')) {
      this.#expect(['NAME'], ['OP', '*']);
      imports.push(this.#token.text);
      this.#next('kept');
      this.#skipCommas('kept');
    }
    const seen = new Map([...this.#values].filter(([key]) => this.#globals.has(key)));
    const imported = this.#import(name, seen);
    for (const global of imported.globals) this.#globals.add(global);
    if (imports.includes('*')) {
      for (const [key, value] of imported.values) this.#values.set(key, value);
      return;
    }
    for (const key of imports) {
      const value = imported.values.get(key);
      if (value === undefined) throw this.#error(`"Can't import ${key} from ${name}.conf."`, 'KeyError');
      this.#set(key, value);
    }
  }
}

import {
  isArray,
  isStruct,
  type XmlRpcStruct,
  type XmlRpcValue,
} from '../../../../src/upstream/koji/xml-rpc-value.ts';
import { ServedFault, type ServedCall } from '../hub-server.ts';
import type { HubTables } from './hub-tables.ts';
import type { StoredBuild } from './hub-rows.ts';

export const FAULT_GENERIC = 1000;
export const FAULT_PARAMETER = 1019;

/** Puts a value into a fault text as Python shows it. */
export function shown(value: XmlRpcValue | undefined): string {
  if (typeof value === 'string') return `'${value}'`;
  if (value === null || value === undefined) return 'None';
  return typeof value === 'number' ? String(value) : JSON.stringify(value);
}

/** The arguments of one call by the names of the hub's parameters. */
export class CallArguments {
  readonly tables: HubTables;
  readonly #user: string | null;
  readonly #values: ReadonlyMap<string, XmlRpcValue>;

  /**
   * Throws fault 1019 for too many arguments, too few and unknown keywords. A parameter whose name ends in `!` is
   * required. Source: Koji contract 1.1.
   */
  constructor(
    tables: HubTables,
    parameters: readonly string[],
    { method, args, keywords, user }: ServedCall,
  ) {
    this.tables = tables;
    const label = `${method.replace(/[A-Z]+/g, (part) => `_${part.toLowerCase()}`)}()`;
    if (args.length > parameters.length) {
      throw new ServedFault(
        FAULT_PARAMETER,
        `${label} takes ${parameters.length} positional arguments but ${args.length} were given`,
      );
    }
    const names = parameters.map((name) => name.replace('!', ''));
    const values = new Map(args.map((value, index) => [names[index] ?? '', value]));
    for (const [name, value] of Object.entries(keywords)) {
      if (!names.includes(name)) {
        throw new ServedFault(FAULT_PARAMETER, `${label} got an unexpected keyword argument '${name}'`);
      }
      values.set(name, value);
    }
    for (const name of parameters) {
      if (name.endsWith('!') && !values.has(name.slice(0, -1))) {
        throw new ServedFault(
          FAULT_PARAMETER,
          `${label} missing 1 required positional argument: '${name.slice(0, -1)}'`,
        );
      }
    }
    this.#values = values;
    this.#user = user ?? null;
  }

  /** Who is logged in. Throws the fault of a hub that wants somebody to be. */
  user(): string {
    if (this.#user !== null) return this.#user;
    throw new ServedFault(1004, 'you must be logged in for this operation');
  }

  /** The value itself; nil where it was not given. */
  value(name: string): XmlRpcValue {
    return this.#values.get(name) ?? null;
  }

  flag(name: string, otherwise: boolean): boolean {
    const value = this.#values.get(name);
    return value === undefined || value === null ? otherwise : value !== false && value !== 0;
  }

  number(name: string): number | null {
    const value = this.value(name);
    if (value === null || typeof value === 'number') return value;
    throw new ServedFault(FAULT_GENERIC, `Invalid type for ${name}: ${shown(value)}`);
  }

  text(name: string): string | null {
    const value = this.value(name);
    return value === null ? null : String(value);
  }

  struct(name: string): XmlRpcStruct {
    const value = this.value(name);
    return isStruct(value) ? value : {};
  }

  list(name: string): readonly XmlRpcValue[] {
    const value = this.value(name);
    return isArray(value) ? value : [];
  }

  event(): number | null {
    const value = this.value('event');
    if (value === null || (typeof value === 'number' && Number.isInteger(value))) return value;
    throw new ServedFault(FAULT_GENERIC, `Invalid event: ${shown(value)}`);
  }

  /** A name or number, as tags and builds are told by. Throws fault 1019 for anything else. */
  nameOrId(name: string): string | number {
    const value = this.value(name);
    if (typeof value === 'string' || (typeof value === 'number' && Number.isInteger(value))) return value;
    throw new ServedFault(FAULT_PARAMETER, `Invalid name or id value: ${shown(value)}`);
  }

  /** A tag that exists at the event. Throws the fault of the calls about contents. */
  tag(name: string): number | undefined {
    const wanted = this.nameOrId(name);
    const id = this.tables.findTag(wanted, this.event());
    if (id !== undefined) return id;
    if (!this.flag('strict', true)) return undefined;
    throw new ServedFault(FAULT_GENERIC, `No such tagInfo: ${shown(wanted)}`);
  }

  /** A tag that exists or existed: these calls look at the names alone. Throws their fault. */
  tagEver(name: string): number {
    const wanted = this.nameOrId(name);
    const id = typeof wanted === 'number' ? wanted : this.tables.tagNames.find(wanted);
    if (id !== undefined && this.tables.tagNames.nameOf(id) !== undefined) return id;
    throw new ServedFault(FAULT_GENERIC, `No such entry in table tag: ${wanted}`);
  }

  /** A build by NVR, number or struct. Throws the fault for what cannot be an NVR. */
  findBuild(name: string): StoredBuild | undefined {
    const value = this.value(name);
    if (isStruct(value)) {
      return this.tables.findBuild(
        `${String(value['name'])}-${String(value['version'])}-${String(value['release'])}`,
      );
    }
    if (typeof value === 'string') {
      if (value.split('-').length < 3) throw new ServedFault(FAULT_GENERIC, `invalid format: ${value}`);
      return this.tables.findBuild(value);
    }
    if (typeof value === 'number' && Number.isInteger(value)) return this.tables.findBuild(value);
    throw new ServedFault(FAULT_GENERIC, `Invalid type for argument: ${shown(value)}`);
  }

  /** A build that is there. Throws `No such build`. */
  build(name: string): StoredBuild {
    const build = this.findBuild(name);
    if (build !== undefined) return build;
    throw new ServedFault(FAULT_GENERIC, `No such build: ${shown(this.value(name))}`);
  }
}

/** A call that the hub answers: its parameters in order, those with `!` required. */
export interface HubMethod {
  readonly parameters: readonly string[];
  readonly answer: (call: CallArguments) => XmlRpcValue;
}

/** Describes a call. `parameters` are separated by blanks. */
export function method(parameters: string, answer: HubMethod['answer']): HubMethod {
  return { parameters: parameters.split(' ').filter(Boolean), answer };
}

/** Rows as `queryOpts` wants them: a part, in an order, or their number. */
export function withQueryOptions(rows: readonly XmlRpcStruct[], options: XmlRpcStruct): XmlRpcValue {
  if (options['countOnly'] === true) return rows.length;
  const { order, limit, offset } = options;
  const sorted = typeof order === 'string' ? sortRows(rows, order) : rows;
  const start = typeof offset === 'number' ? offset : 0;
  return sorted.slice(start, typeof limit === 'number' ? start + limit : undefined);
}

function sortRows(rows: readonly XmlRpcStruct[], order: string): readonly XmlRpcStruct[] {
  const member = order.replace('-', '');
  const sign = order.startsWith('-') ? -1 : 1;
  const text = (row: XmlRpcStruct): string => String(row[member] ?? '');
  return rows.toSorted((a, b) => sign * text(a).localeCompare(text(b), 'en', { numeric: true }));
}

import { ReactorError } from '../../model/errors.ts';
import { isArray, isStruct, type XmlRpcStruct, type XmlRpcValue } from './xml-rpc-value.ts';

/**
 * Reads the members of one struct that the hub answered. What is missing or of another type than the contract
 * says throws `koji.answer_unexpected`, naming the call, the thing asked about and the member.
 */
export class HubRow {
  readonly #struct: XmlRpcStruct;
  readonly #about: string;

  /** `about` is what the reader of an error should see: `listTaggedRPMS of tag f42`. */
  constructor(value: XmlRpcValue | undefined, about: string) {
    if (!isStruct(value)) throw unexpected(about, 'a struct', value);
    this.#struct = value;
    this.#about = about;
  }

  /** The member itself, whatever it is; null where it is missing. */
  value(member: string): XmlRpcValue {
    return this.#struct[member] ?? null;
  }

  integer(member: string): number {
    const value = this.value(member);
    if (typeof value === 'number' && Number.isInteger(value)) return value;
    throw unexpected(`${this.#about}, member ${member}`, 'an integer', value);
  }

  integerOrNull(member: string): number | null {
    return this.value(member) === null ? null : this.integer(member);
  }

  number(member: string): number {
    const value = this.value(member);
    if (typeof value === 'number') return value;
    throw unexpected(`${this.#about}, member ${member}`, 'a number', value);
  }

  text(member: string): string {
    const value = this.value(member);
    if (typeof value === 'string') return value;
    throw unexpected(`${this.#about}, member ${member}`, 'a string', value);
  }

  textOrNull(member: string): string | null {
    return this.value(member) === null ? null : this.text(member);
  }

  /** False where the member is missing or nil: older hubs do not have all of them. */
  flag(member: string): boolean {
    const value = this.value(member);
    if (value === null) return false;
    if (typeof value === 'boolean') return value;
    throw unexpected(`${this.#about}, member ${member}`, 'a boolean', value);
  }

  /** An array of strings; empty where the member is missing or nil. */
  texts(member: string): readonly string[] {
    const value = this.value(member);
    if (value === null) return [];
    return rowsOf(value, `${this.#about}, member ${member}`).map((entry) => {
      if (typeof entry === 'string') return entry;
      throw unexpected(`${this.#about}, member ${member}`, 'strings', entry);
    });
  }
}

/** The array that a call answered. Throws `koji.answer_unexpected`. */
export function rowsOf(value: XmlRpcValue | undefined, about: string): readonly XmlRpcValue[] {
  if (isArray(value)) return value;
  throw unexpected(about, 'an array', value);
}

/** The error for an answer of another type than the contract says. */
export function unexpected(about: string, wanted: string, got: XmlRpcValue | undefined): ReactorError {
  const seen = got === undefined ? 'nothing' : (JSON.stringify(got) ?? 'nothing').slice(0, 80);
  return new ReactorError(
    'koji.answer_unexpected',
    `The Koji hub answered ${seen} where ${wanted} belongs: ${about}.`,
    {
      hint: 'The hub is another version than expected, or something between changes its answers.',
    },
  );
}

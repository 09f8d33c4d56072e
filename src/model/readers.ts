import { isJsonObject, refuseRequest } from './request-fields.ts';

/** Who may read something private, beside its owner and admins. */
export interface Readers {
  readonly users: readonly string[];
  readonly groups: readonly string[];
}

/** Who reads. */
export interface Reader {
  /** Null where the caller is not known. */
  readonly user: string | null;
  readonly groups: readonly string[];
  /** Whether nothing is hidden. */
  readonly readsAll: boolean;
  /** Whether events of builds under embargo are shown. */
  readonly readsEmbargoed: boolean;
}

/** What somebody owns and maybe not everybody may read; null readers stand for everybody. */
export interface Readable {
  readonly owner: string;
  readonly readers: Readers | null;
}

/** A caller that is not known: reads what is open to everybody. */
export const publicReader: Reader = { user: null, groups: [], readsAll: false, readsEmbargoed: false };

/** Returns whether a caller may read something. The same is said in SQL by database/readable.ts. */
export function mayRead(reader: Reader, { owner, readers }: Readable): boolean {
  if (readers === null || reader.readsAll) return true;
  if (reader.user !== null && (reader.user === owner || readers.users.includes(reader.user))) return true;
  return reader.groups.some((group) => readers.groups.includes(group));
}

/** Returns whether two lists of readers name the same, in whatever order. */
export function areSameReaders(left: Readers | null, right: Readers | null): boolean {
  if (left === null || right === null) return left === right;
  return isWithin(left, right) && isWithin(right, left);
}

/** Returns whether everybody of `inner` is of `outer`. */
export function isWithin(inner: Readers, outer: Readers): boolean {
  return (
    inner.users.every((user) => outer.users.includes(user)) &&
    inner.groups.every((group) => outer.groups.includes(group))
  );
}

/**
 * Returns the readers of what is made of these parts where its request names none: those that every private part names,
 * owners among them; null where all parts are open to everybody.
 */
export function readersOfParts(parts: readonly Readable[]): Readers | null {
  let common: Readers | null = null;
  for (const { owner, readers } of parts) {
    if (readers === null) continue;
    const users: readonly string[] = owner.startsWith('rule:') ? readers.users : [...readers.users, owner];
    const inherited: Readers = { users: [...new Set(users)], groups: readers.groups };
    common =
      common === null
        ? inherited
        : {
            users: common.users.filter((user) => inherited.users.includes(user)),
            groups: common.groups.filter((group) => inherited.groups.includes(group)),
          };
  }
  return common;
}

const MOST_NAMES = 200;
const LONGEST_NAME = 200;

/**
 * Returns whom the body of a POST opens its compose to: `{"users": [...], "groups": [...]}`; null where it does not say.
 * Throws `request.invalid_value`.
 */
export function readersOfBody(body: unknown): Readers | null {
  const value = isJsonObject(body) ? body['readers'] : undefined;
  if (value === undefined) return null;
  if (!isJsonObject(value)) {
    refuseRequest('request.invalid_value', 'readers should be an object with "users" and "groups".', hint);
  }
  const other = Object.keys(value).find((key) => key !== 'users' && key !== 'groups');
  if (other !== undefined) {
    refuseRequest('request.invalid_value', `readers has no "${other.slice(0, 100)}".`, hint);
  }
  return { users: namesOf(value['users'], 'users'), groups: namesOf(value['groups'], 'groups') };
}

const hint =
  'Write {"users": ["alice"], "groups": ["embargo"]}; an empty object opens it to its owner alone.';

function namesOf(value: unknown, key: string): readonly string[] {
  if (value === undefined) return [];
  if (!Array.isArray(value) || value.length > MOST_NAMES) {
    refuseRequest('request.invalid_value', `readers.${key} should be a list of at most ${MOST_NAMES} names.`);
  }
  const names = value.map((name: unknown) => {
    // Names of groups may hold blanks.
    if (typeof name === 'string' && name.length <= LONGEST_NAME && /^[^\p{Cc}\p{Cs}]+$/u.test(name))
      return name;
    return refuseRequest('request.invalid_value', `readers.${key} should be a list of names.`);
  });
  return [...new Set(names)].sort();
}

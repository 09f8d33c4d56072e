/** Epoch, version and release of a package. The epoch is a decimal string; none means `0`. */
export interface Evr {
  readonly epoch: string;
  readonly version: string;
  readonly release: string;
}

const DIGIT_ZERO = 48;
const DIGIT_NINE = 57;

function isDigit(code: number): boolean {
  return code >= DIGIT_ZERO && code <= DIGIT_NINE;
}

function isLetter(code: number): boolean {
  return (code >= 65 && code <= 90) || (code >= 97 && code <= 122);
}

function isSeparator(code: number): boolean {
  return !isDigit(code) && !isLetter(code) && code !== TILDE && code !== CARET;
}

const TILDE = 126;
const CARET = 94;

/**
 * Orders two version (or release) strings as rpm does: segments of digits and letters, `~` before the end of
 * the string, `^` after it. Returns a negative number, zero or a positive number.
 * Source: rpm's version comparison (`rpmvercmp`), described in the rpm manual, chapter "Dependencies".
 */
export function compareVersions(left: string, right: string): number {
  if (left === right) return 0;
  let i = 0;
  let j = 0;
  while (i < left.length || j < right.length) {
    while (i < left.length && isSeparator(left.charCodeAt(i))) i += 1;
    while (j < right.length && isSeparator(right.charCodeAt(j))) j += 1;
    const a = left.charCodeAt(i);
    const b = right.charCodeAt(j);
    if (a === TILDE || b === TILDE) {
      if (a !== TILDE) return 1;
      if (b !== TILDE) return -1;
      i += 1;
      j += 1;
      continue;
    }
    if (a === CARET || b === CARET) {
      if (i >= left.length) return -1;
      if (j >= right.length) return 1;
      if (a !== CARET) return 1;
      if (b !== CARET) return -1;
      i += 1;
      j += 1;
      continue;
    }
    if (i >= left.length || j >= right.length) break;
    const startLeft = i;
    const startRight = j;
    if (isDigit(a)) {
      while (i < left.length && isDigit(left.charCodeAt(i))) i += 1;
      while (j < right.length && isDigit(right.charCodeAt(j))) j += 1;
      if (j === startRight) return 1;
      const order = compareNumbers(left.slice(startLeft, i), right.slice(startRight, j));
      if (order !== 0) return order;
    } else {
      while (i < left.length && isLetter(left.charCodeAt(i))) i += 1;
      while (j < right.length && isLetter(right.charCodeAt(j))) j += 1;
      if (j === startRight) return -1;
      const a = left.slice(startLeft, i);
      const b = right.slice(startRight, j);
      if (a !== b) return a < b ? -1 : 1;
    }
  }
  if (i >= left.length && j >= right.length) return 0;
  return i < left.length ? 1 : -1;
}

function isNumber(text: string): boolean {
  for (let at = 0; at < text.length; at += 1) if (!isDigit(text.charCodeAt(at))) return false;
  return true;
}

function compareNumbers(left: string, right: string): number {
  const a = left.replace(/^0+/, '');
  const b = right.replace(/^0+/, '');
  if (a.length !== b.length) return a.length - b.length;
  return a === b ? 0 : a < b ? -1 : 1;
}

/** Orders two EVRs: epoch as a number, then version, then release. */
export function compareEvr(left: Evr, right: Evr): number {
  const epochs = compareNumbers(left.epoch, right.epoch);
  if (epochs !== 0) return epochs;
  const versions = compareVersions(left.version, right.version);
  return versions !== 0 ? versions : compareVersions(left.release, right.release);
}

/**
 * Reads `[epoch:]version[-release]`; a missing epoch is `0`, and so is one that is no number, as metadata of some tools
 * have it; a missing release is empty.
 */
export function parseEvr(text: string): Evr {
  const colon = text.indexOf(':');
  const written = colon > 0 ? text.slice(0, colon) : '0';
  const epoch = isNumber(written) ? written : '0';
  const rest = colon >= 0 ? text.slice(colon + 1) : text;
  const dash = rest.lastIndexOf('-');
  return dash < 0
    ? { epoch, version: rest, release: '' }
    : { epoch, version: rest.slice(0, dash), release: rest.slice(dash + 1) };
}

/** Writes `epoch:version-release`, the epoch always present, as productmd writes it. */
export function formatEvr(evr: Evr): string {
  return `${evr.epoch}:${evr.version}-${evr.release}`;
}

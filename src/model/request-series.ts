import { parseDuration } from './duration.ts';
import type { Keep } from './keep.ts';
import { checkName } from './names.ts';
import { isJsonObject, refuseRequest } from './request-fields.ts';

/**
 * Returns the series that the body of a POST wants to continue, or null. Throws `request.invalid_value` where it is no
 * text, `request.invalid_name` where no series can be called so.
 */
export function seriesOfBody(body: unknown): string | null {
  const series = isJsonObject(body) ? body['series'] : undefined;
  if (series === undefined) return null;
  if (typeof series !== 'string') refuseRequest('request.invalid_value', 'series should be a text.');
  return checkName('series', series, { code: 'request.invalid_name' });
}

const DAY_MS = 86_400_000;
const WEEK_MS = 7 * DAY_MS;

/**
 * Returns which composes of its series the body of a POST wants kept beyond their time: `{"last": 10, "daily": "30d", "weekly":
 * "1y"}`. An empty object is null, nothing more is kept then; undefined where the body does not say. Throws
 * `request.invalid_value`.
 */
export function keepOfBody(body: unknown): Keep | null | undefined {
  const value = isJsonObject(body) ? body['keep'] : undefined;
  if (value === undefined) return undefined;
  if (!isJsonObject(value)) {
    return refuseRequest(
      'request.invalid_value',
      'keep should be an object with "last", "daily", "weekly".',
      hint,
    );
  }
  const { last, daily, weekly, ...others } = value;
  const [other] = Object.keys(others);
  if (other !== undefined) {
    refuseRequest('request.invalid_value', `keep has no "${other.slice(0, 100)}".`, hint);
  }
  if (seriesOfBody(body) === null) {
    refuseRequest('request.invalid_value', 'keep is about a series, and the request continues none.');
  }
  const keep = { last: lastOf(last), dailyMs: spanOf(daily, 'daily'), weeklyMs: spanOf(weekly, 'weekly') };
  return keep.last === null && keep.dailyMs === null && keep.weeklyMs === null ? null : keep;
}

/** Returns how many composes may be kept at a time by what is wanted. */
export function mostKept({ last, dailyMs, weeklyMs }: Keep): number {
  return (last ?? 0) + Math.ceil((dailyMs ?? 0) / DAY_MS) + Math.ceil((weeklyMs ?? 0) / WEEK_MS);
}

const hint = 'Write {"last": 10, "daily": "30d", "weekly": "1y"}, or some of them.';

function lastOf(value: unknown): number | null {
  if (value === undefined) return null;
  if (typeof value === 'number' && Number.isInteger(value) && value >= 1 && value <= 10_000) return value;
  return refuseRequest('request.invalid_value', 'keep.last should be a whole number from 1 to 10000.', hint);
}

function spanOf(value: unknown, key: string): number | null {
  if (value === undefined) return null;
  const span = typeof value === 'string' && /^\d{1,4}[dwy]$/.test(value) ? parseDuration(value) : null;
  if (span !== null && span > 0 && span <= 20 * 365 * DAY_MS) return span;
  return refuseRequest(
    'request.invalid_value',
    `keep.${key} should be a time such as 30d, 12w or 1y, 20 years at most.`,
    hint,
  );
}

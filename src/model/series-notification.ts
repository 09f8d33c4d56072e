import { isJsonObject, refuseRequest } from './request-fields.ts';
import { seriesOfBody } from './request-series.ts';

/** What is told of a series that no rule continues. */
export const seriesOutcomes = ['composed', 'failed', 'image_changed'] as const;
export type SeriesOutcome = (typeof seriesOutcomes)[number];

/** Who hears of it: a URL that JSON is posted to, and what is told there. */
export interface SeriesNotification {
  readonly webhook: string;
  readonly only: readonly SeriesOutcome[];
}

/** What is told where an entry does not say: how composes end. */
const usual: readonly SeriesOutcome[] = ['composed', 'failed'];
const MOST = 5;
const LONGEST_URL = 1_000;
const hint = `Write [{"webhook": "https://…", "only": ["composed"]}]; only is some of ${seriesOutcomes.join(', ')}.`;

/**
 * Returns who is to hear of the series of a POST from then on; an empty list where nobody is, undefined where the body does
 * not say. Throws `request.invalid_value`.
 */
export function notifyOfBody(body: unknown): readonly SeriesNotification[] | undefined {
  const value = isJsonObject(body) ? body['notify'] : undefined;
  if (value === undefined) return undefined;
  if (!Array.isArray(value) || value.length > MOST) {
    return refuseRequest(
      'request.invalid_value',
      `notify should be a list of at most ${MOST} webhooks.`,
      hint,
    );
  }
  if (seriesOfBody(body) === null) {
    refuseRequest('request.invalid_value', 'notify is about a series, and the request continues none.');
  }
  return value.map(readNotification);
}

function readNotification(value: unknown): SeriesNotification {
  if (!isJsonObject(value)) return refuseEntry();
  const { webhook, only = usual, ...others } = value;
  const [other] = Object.keys(others);
  if (other !== undefined) {
    refuseRequest('request.invalid_value', `notify has no "${other.slice(0, 100)}".`, hint);
  }
  if (typeof webhook !== 'string' || !isPosted(webhook)) return refuseEntry();
  if (!Array.isArray(only) || only.length === 0) return refuseEntry();
  return { webhook, only: [...new Set(only.map(outcomeOf))] };
}

function isPosted(text: string): boolean {
  const url = URL.parse(text);
  const isHttp = url !== null && (url.protocol === 'http:' || url.protocol === 'https:');
  return isHttp && url.username === '' && url.password === '' && text.length <= LONGEST_URL;
}

function outcomeOf(value: unknown): SeriesOutcome {
  return seriesOutcomes.find((outcome) => outcome === value) ?? refuseEntry();
}

function refuseEntry(): never {
  return refuseRequest(
    'request.invalid_value',
    'Each entry of notify should have a webhook, an http or https URL without a password, and maybe "only".',
    hint,
  );
}

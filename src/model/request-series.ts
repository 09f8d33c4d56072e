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

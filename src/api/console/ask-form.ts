import { composeFlags, composeResults, multilibMethods, type ComposeRequest } from '../../model/compose.ts';

/** What the fields of the form are called; the same words as in a link that fills them. */
export const askFields = [
  'type',
  'source',
  'packages',
  'builds',
  'arches',
  'sigkeys',
  'koji_event',
  'lookaside_repos',
  'multilib_arches',
  'multilib_method',
  'flags',
  'results',
  'hours',
  'series',
  'label',
] as const;
export type AskField = (typeof askFields)[number];

/** What somebody filled in: the values of each field, in their order. */
export type AskForm = Readonly<Record<AskField, readonly string[]>>;

/** Letters of one field that are read. */
const MOST_LETTERS = 500_000;

/** Fields that are ticked, with what they offer. */
export const ticked = {
  flags: Object.keys(composeFlags),
  results: Object.keys(composeResults).filter((result) => result !== 'repository'),
  multilib_method: Object.keys(multilibMethods).filter((method) => method !== 'none'),
} as const;

/** Returns what a form or a link says. */
export function readAskForm(fields: URLSearchParams): AskForm {
  const valuesOf = (field: AskField): readonly string[] =>
    fields
      .getAll(field)
      .map((value) => value.slice(0, MOST_LETTERS).trim())
      .filter((value) => value !== '');
  return {
    type: valuesOf('type'),
    source: valuesOf('source'),
    packages: valuesOf('packages'),
    builds: valuesOf('builds'),
    arches: valuesOf('arches'),
    sigkeys: valuesOf('sigkeys'),
    koji_event: valuesOf('koji_event'),
    lookaside_repos: valuesOf('lookaside_repos'),
    multilib_arches: valuesOf('multilib_arches'),
    multilib_method: valuesOf('multilib_method'),
    flags: valuesOf('flags'),
    results: valuesOf('results'),
    hours: valuesOf('hours'),
    series: valuesOf('series'),
    label: valuesOf('label'),
  };
}

/** The body of POST that a form stands for. */
export interface AskedBody {
  readonly source: Readonly<Record<string, unknown>> & { readonly type: string };
  readonly [key: string]: unknown;
}

/** Returns the body of POST that a form stands for; what nobody filled in is left out. */
export function bodyOfForm(form: AskForm): AskedBody {
  const list = (name: string, field: AskField): Readonly<Record<string, readonly string[]>> => {
    const words = form[field].flatMap((text) => text.split(/[\s,]+/)).filter((word) => word !== '');
    return words.length === 0 ? {} : { [name]: [...new Set(words)] };
  };
  const text = (name: string, field: AskField): Readonly<Record<string, string>> => {
    const [first] = form[field];
    return first === undefined ? {} : { [name]: first };
  };
  const [event] = form.koji_event;
  const [hours] = form.hours;
  const { sigkeys } = list('sigkeys', 'sigkeys');
  return {
    source: {
      type: form.type[0] ?? 'tag',
      ...text('source', 'source'),
      ...list('packages', 'packages'),
      ...list('builds', 'builds'),
      // A key that is called so stands for packages that nobody signed.
      ...(sigkeys === undefined ? {} : { sigkeys: sigkeys.map((key) => (key === 'unsigned' ? '' : key)) }),
      ...(event === undefined ? {} : { koji_event: numberOr(event) }),
    },
    ...list('arches', 'arches'),
    ...list('flags', 'flags'),
    ...list('results', 'results'),
    ...list('lookaside_repos', 'lookaside_repos'),
    ...list('multilib_arches', 'multilib_arches'),
    ...list('multilib_method', 'multilib_method'),
    ...(hours === undefined ? {} : { seconds_to_live: secondsOr(hours) }),
    ...text('series', 'series'),
    ...text('label', 'label'),
  };
}

/** Addresses with more letters are not made. */
const MOST_OF_ADDRESS = 4000;

/** Returns the query that fills the form with what a compose was asked for; null where that is more than an address holds. */
export function queryOfRequest(request: ComposeRequest): string | null {
  const query = new URLSearchParams({ type: request.sourceType });
  const fill = (field: AskField, words: readonly string[] | null): void => {
    if (words !== null && words.length > 0) query.set(field, words.join(' '));
  };
  fill('source', request.source);
  fill('packages', request.packages);
  fill('builds', request.builds);
  fill('arches', request.arches);
  fill(
    'sigkeys',
    request.sigkeys.map((key) => (key === '' ? 'unsigned' : key)),
  );
  fill('lookaside_repos', request.lookasideRepos);
  fill('multilib_arches', request.multilibArches);
  for (const flag of request.flags) query.append('flags', flag);
  for (const result of request.results) if (result !== 'repository') query.append('results', result);
  for (const method of request.multilibMethods)
    if (method !== 'none') query.append('multilib_method', method);
  const text = query.toString();
  return text.length > MOST_OF_ADDRESS ? null : text;
}

/** A number where it is one; other text is left to the checks of requests. */
function numberOr(text: string): number | string {
  return /^\d{1,15}$/.test(text) ? Number(text) : text;
}

function secondsOr(hours: string): number | string {
  return /^\d{1,9}(?:\.\d{1,3})?$/.test(hours) ? Math.round(Number(hours) * 3600) : hours;
}

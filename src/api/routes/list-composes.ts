import { sourceTypes } from '../../source-types.ts';
import {
  composeOrders,
  listComposeIds,
  readComposes,
  type ComposeFilters,
  type ComposeOrder,
} from '../../database/list-composes.ts';
import { composeStates, type ComposeState } from '../../model/compose.ts';
import { composeJson } from '../../model/compose-json.ts';
import { z } from '@hono/zod-openapi';
import { clientOf } from '../client.ts';
import type { RegisterRoute } from '../context.ts';
import { composeSchema, jsonAnswer, numberQuery, problemAnswers } from '../documentation.ts';
import { ApiProblem } from '../problem.ts';
import { sendJsonList } from '../send-json-list.ts';

const mostPerPage = 10_000;
const text = z.string().optional();

/** A query key that takes a name of a closed table, or its number. */
function namesAndNumbers(table: Readonly<Record<string, number>>, description: string) {
  return z
    .enum(Object.entries(table).flatMap(([name, number]) => [name, String(number)]))
    .optional()
    .openapi({ description });
}

const querySchema = z.object({
  page: numberQuery('Which page, from 1', { least: 1 }),
  per_page: numberQuery(`How many on a page, ${mostPerPage} at most; 10 by default`),
  order_by: z
    .enum(composeOrders.flatMap((order) => [order, `-${order}`]))
    .optional()
    .openapi({ description: 'With a leading - descending; -id by default' }),
  owner: text.openapi({ description: 'Whose they are' }),
  source_type: namesAndNumbers(sourceTypes, 'What they are made of, by name or number'),
  source: text.openapi({ description: 'What they are made of', example: 'f44' }),
  state: namesAndNumbers(composeStates, 'Their state, by name or number'),
  pungi_compose_id: text.openapi({
    description: 'The id that Pungi gives',
    example: 'odcs-7-1-20261122.n.0',
  }),
  compose_type: text.openapi({ description: 'The type that Pungi gives', example: 'nightly' }),
  label: text.openapi({ description: 'The label of a main compose', example: 'RC-1.0' }),
  series: text.openapi({ description: 'The line of composes they continue', example: 'base-images' }),
});
const listSchema = z.object({
  items: z.array(composeSchema),
  meta: z.object({
    page: z.number().int(),
    pages: z.number().int(),
    per_page: z.number().int(),
    total: z.number().int(),
    first: z.string(),
    last: z.string(),
    prev: z.string().nullable(),
    next: z.string().nullable(),
  }),
});

/** GET of many composes, filtered, ordered and in pages. Source: ODCS contract 4. */
export const registerListComposes: RegisterRoute = (app, context) => {
  app.openAPIRegistry.registerPath({
    method: 'get',
    path: '/api/1/composes/',
    summary: 'List composes',
    operationId: 'listComposes',
    tags: ['composes'],
    request: { query: querySchema },
    responses: { 200: jsonAnswer('One page of composes', listSchema), ...problemAnswers },
  });
  const paths = ['/api/1/composes/', '/odcs/1/composes/', '/odcs/1/composes'];
  app.on('GET', paths, async (request) => {
    const url = new URL(request.req.url);
    const query = url.searchParams;
    const { page, perPage } = pagingOf(query);
    const { kysely } = context.database;
    const { listed, total } = await listComposeIds(kysely, {
      filters: filtersOf(query),
      ...orderOf(query.get('order_by')),
      limit: perPage,
      offset: (page - 1) * perPage,
    });
    const pages = perPage === 0 ? 0 : Math.ceil(total / perPage);
    const { publicBase } = clientOf(request.req.raw, request.env, context.config);
    const link = (number: number): string =>
      `${publicBase}${request.req.path}?${linkQuery(query, number, perPage)}`;
    const meta = {
      page,
      pages,
      per_page: perPage,
      total,
      first: link(1),
      last: link(pages),
      prev: page > 1 ? link(page - 1) : null,
      next: page < pages ? link(page + 1) : null,
    };
    return sendJsonList(
      context,
      request,
      {
        slices: readComposes(kysely, listed),
        write: (compose) => composeJson(compose, context.targetDirUrls),
      },
      meta,
    );
  });
};

/** Numbers as ODCS reads them: what is no number is the default, what makes no sense is mended. */
function pagingOf(query: URLSearchParams): { readonly page: number; readonly perPage: number } {
  const page = numberOf(query.get('page'), 1);
  const perPage = numberOf(query.get('per_page'), 10);
  return {
    page: page < 1 ? 1 : Math.min(page, 1_000_000_000),
    perPage: perPage < 0 ? 20 : Math.min(perPage, mostPerPage),
  };
}

function numberOf(value: string | null, fallback: number): number {
  return value !== null && /^\s*[+-]?\d{1,15}\s*$/.test(value) ? Number(value) : fallback;
}

function linkQuery(query: URLSearchParams, page: number, perPage: number): string {
  const linked = new URLSearchParams({ page: String(page), per_page: String(perPage) });
  for (const [key, value] of query) {
    const isKept = key !== 'page' && key !== 'per_page' && key !== 'endpoint' && !key.startsWith('_');
    if (isKept) linked.append(key, value);
  }
  return linked.toString();
}

function filtersOf(query: URLSearchParams): ComposeFilters {
  const value = (key: string): string | undefined => query.get(key) || undefined;
  const texts = {
    owner: value('owner'),
    source: value('source'),
    pungiComposeId: value('pungi_compose_id'),
    composeType: value('compose_type'),
    label: value('label'),
    series: value('series'),
  };
  const sourceType = numberFor(sourceTypes, value('source_type'));
  const state = nameFor(composeStates, value('state'));
  // Nothing sets a Koji task any more.
  const isHopeless = value('koji_task_id') !== undefined || sourceType === null || state === null;
  if (isHopeless) return { matchesNothing: true };
  const given = Object.fromEntries(Object.entries(texts).filter(([, filter]) => filter !== undefined));
  return {
    ...given,
    ...(sourceType === undefined ? {} : { sourceType }),
    ...(state === undefined ? {} : { state }),
  };
}

/** The number of a name or of itself; null where there is none, undefined where nothing was asked. */
function numberFor(
  table: Readonly<Record<string, number>>,
  asked: string | undefined,
): number | null | undefined {
  if (asked === undefined) return undefined;
  if (Object.hasOwn(table, asked)) return table[asked] ?? null;
  return Object.values(table).find((number) => String(number) === asked) ?? null;
}

function nameFor(
  table: Readonly<Record<ComposeState, number>>,
  asked: string | undefined,
): ComposeState | null | undefined {
  const number = numberFor(table, asked);
  if (number === null || number === undefined) return number;
  return (Object.keys(table) as ComposeState[]).find((name) => table[name] === number) ?? null;
}

function orderOf(asked: string | null): { readonly orderBy: ComposeOrder; readonly isDescending: boolean } {
  if (asked === null) return { orderBy: 'id', isDescending: true };
  const isDescending = asked.startsWith('-');
  // ODCS named it `source_Type` in its own error text.
  const key = asked.slice(isDescending ? 1 : 0).replace(/^source_Type$/, 'source_type');
  const orderBy = composeOrders.find((order) => order === key);
  if (orderBy !== undefined) return { orderBy, isDescending };
  const allowed = composeOrders.map((order) => `'${order}'`).join(', ');
  throw new ApiProblem(
    400,
    'request.invalid_order',
    `An invalid order_by key was suplied, allowed keys are: [${allowed}]`,
  );
}

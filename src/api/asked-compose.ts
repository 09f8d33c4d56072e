import { isDeepStrictEqual } from 'node:util';
import { findComposeByKey } from '../database/list-composes.ts';
import { findSeries, noteKeep, noteNotify } from '../database/series.ts';
import { transaction, type UnitOfWork } from '../database/transaction.ts';
import { createCompose } from '../lifecycle/create-compose.ts';
import { lockSeries } from '../lifecycle/series-lock.ts';
import type { Compose } from '../model/compose-json.ts';
import { parseComposeRequest, parseFirstReleaseRequest, requestDefaults } from '../model/compose-request.ts';
import type { ComposeRequest } from '../model/compose.ts';
import type { Keep } from '../model/keep.ts';
import { areSameReaders, readersOfBody, type Readers } from '../model/readers.ts';
import { keepOfBody, mostKept, seriesOfBody } from '../model/request-series.ts';
import { notifyOfBody, type SeriesNotification } from '../model/series-notification.ts';
import { parseHostList } from '../upstream/http/host-list.ts';
import { identify, ownerOf, type Identity } from './auth.ts';
import { askedValues, isAdmin, requireAllowedClient, requirePermission, requireScope } from './authorise.ts';
import { checkOffered } from './check-offered.ts';
import { checkParts } from './check-parts.ts';
import { checkRepositories } from './check-repositories.ts';
import type { ApiContext, ApiRequest } from './context.ts';
import { ApiProblem } from './problem.ts';
import { checkMayContinue } from './series-of-request.ts';

/** What somebody asks for who may have it. */
export interface AskedCompose {
  readonly asked: ComposeRequest;
  readonly series: string | null;
  readonly readers: Readers | null;
  /** What is to be kept of the series; undefined where the request does not say. */
  readonly keep: Keep | null | undefined;
  /** Who is to hear of the series; undefined where the request does not say. */
  readonly notify: readonly SeriesNotification[] | undefined;
}

/** What is to be stored; without a key it is another compose each time. */
export interface WantedCompose extends AskedCompose {
  readonly key: string | undefined;
}

/** How a body is read: as ODCS does today, or as its release 0.0.1 did. */
export type RequestForm = 'today' | 'first release';

/** Returns who asks for a compose. Throws what `identify` throws, and `permission.…` (403) where they may not at all. */
export async function identifyClient(context: ApiContext, request: ApiRequest): Promise<Identity> {
  const identity = await identify(context, request);
  requireScope(identity, context.config, 'new-compose');
  requireAllowedClient(identity, context.config);
  return identity;
}

/**
 * Returns what a body asks for, once it is one that the service can make and its caller may have. Throws `request.…`,
 * `permission.…`, `series.…`, `compose.…`, `repo.…`.
 */
export async function checkAsked(
  context: ApiContext,
  request: ApiRequest,
  identity: Identity,
  { body, form }: { readonly body: unknown; readonly form: RequestForm },
): Promise<AskedCompose> {
  const { config } = context;
  const defaults = requestDefaults(config);
  const asked =
    form === 'first release' ? parseFirstReleaseRequest(body, defaults) : parseComposeRequest(body, defaults);
  const series = seriesOfBody(body);
  const readers = readersOfBody(body);
  const keep = keepOfBody(body);
  requireMayKeep(identity, config, keep ?? null);
  const notify = notifyOfBody(body);
  requireMayTell(config, notify ?? []);
  requirePermission(identity, config, askedValues(asked));
  if (series !== null) await checkMayContinue(context.database.kysely, { series, readers, identity, config });
  await checkParts(context, asked);
  await checkOffered(context, asked);
  await checkRepositories(context, request, asked);
  return { asked, series, readers, keep, notify };
}

/**
 * Stores the compose, or returns the one the same owner got for the same key before. Throws
 * `request.idempotency_key_reused` (409), `series.…`.
 */
export async function storeCompose(
  context: ApiContext,
  identity: Identity,
  wanted: WantedCompose,
): Promise<Compose> {
  const { database, config } = context;
  const { asked, series, readers, keep, notify, key } = wanted;
  const owner = ownerOf(identity);
  const earlier = (): Promise<Compose | undefined> =>
    key === undefined ? Promise.resolve(undefined) : findComposeByKey(database.kysely, owner, key);
  const known = await earlier();
  if (known !== undefined) return sameRequest(known, wanted);
  try {
    return await transaction(database, async (tx) => {
      if (series !== null) {
        // Somebody else may have taken the name since.
        await lockSeries(tx.sql, series);
        await checkMayContinue(tx.sql, { series, readers, identity, config });
      }
      const compose = await createCompose(tx, {
        owner,
        request: asked,
        priority: 'normal',
        ...(key === undefined ? {} : { idempotencyKey: key }),
        ...(series === null ? {} : { series }),
        readers,
      });
      if (series !== null && keep !== undefined) await keepOfSeries(tx, series, keep);
      if (series !== null && notify !== undefined) await tellOfSeries(tx, series, notify);
      return compose;
    });
  } catch (error) {
    // Another request with this key was quicker.
    const winner = isUniqueViolation(error) ? await earlier() : undefined;
    if (winner === undefined) throw error;
    return sameRequest(winner, wanted);
  }
}

/** Notes what is kept of a person's series. Throws `series.keep_of_rule` (409) where a rule says it. */
async function keepOfSeries(tx: UnitOfWork, series: string, keep: Keep | null): Promise<void> {
  const row = await findSeries(tx.sql, series);
  if (row !== undefined && row.rule !== null) {
    throw new ApiProblem(
      409,
      'series.keep_of_rule',
      `The rule ${row.rule} says what is kept of the series ${series}.`,
      { hint: 'Leave keep out.' },
    );
  }
  await noteKeep(tx.sql, series, keep);
}

/** Notes who hears of a person's series. Throws `series.notify_of_rule` (409) where a rule says it. */
async function tellOfSeries(
  tx: UnitOfWork,
  series: string,
  notify: readonly SeriesNotification[],
): Promise<void> {
  const row = await findSeries(tx.sql, series);
  if (row !== undefined && row.rule !== null) {
    throw new ApiProblem(
      409,
      'series.notify_of_rule',
      `The rule ${row.rule} says who hears of the series ${series}.`,
      { hint: 'Leave notify out, and write it into the rule.' },
    );
  }
  await noteNotify(tx, series, notify);
}

/** Throws `series.notify_not_allowed` (403) for a webhook on a host that the settings do not name. */
function requireMayTell(config: ApiContext['config'], notify: readonly SeriesNotification[]): void {
  const hosts = parseHostList(config.webhook_hosts);
  for (const { webhook } of notify) {
    const url = new URL(webhook);
    if (hosts.allows(url, 'local person')) continue;
    throw new ApiProblem(403, 'series.notify_not_allowed', `Nothing may be posted to ${url.host}.`, {
      hint: 'The setting webhook_hosts lists the hosts that requests may have told.',
    });
  }
}

/** Throws `series.keep_too_much` (403) where a request wants more kept than a client may. */
function requireMayKeep(identity: Identity, config: ApiContext['config'], keep: Keep | null): void {
  const most = config.request_keep_most;
  if (keep === null || mostKept(keep) <= most || isAdmin(identity, config)) return;
  throw new ApiProblem(
    403,
    'series.keep_too_much',
    `A request may keep ${most} composes of its series, and this one could keep ${mostKept(keep)}.`,
    { hint: 'Days, weeks and the last ones are added up. A rule may keep more.' },
  );
}

function isUniqueViolation(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === '23505';
}

function sameRequest(compose: Compose, { asked, series, readers }: WantedCompose): Compose {
  const isSame = isDeepStrictEqual(compose.request, JSON.parse(JSON.stringify(asked)));
  if (isSame && compose.series === series && (readers === null || areSameReaders(readers, compose.readers))) {
    return compose;
  }
  throw new ApiProblem(
    409,
    'request.idempotency_key_reused',
    `The Idempotency-Key was used for compose ${compose.id}, which was asked for differently.`,
    { hint: 'Use a new key for every different request.' },
  );
}

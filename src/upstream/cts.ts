import { z } from 'zod';
import type { Config } from '../config.ts';
import { ReactorError } from '../model/errors.ts';
import { openJsonReader, type JsonReader } from './http/read-json.ts';
import { openProviderClient } from './oidc/provider-client.ts';

/** What a compose that is to be registered is. */
export interface ComposeToRegister {
  /** A composeinfo document without variants; its id and respin are proposals. */
  readonly composeinfo: string;
  readonly parentIds: readonly string[];
  readonly respinOf: string | null;
  /** The public URL of the compose; null where it has none. */
  readonly url: string | null;
  /** Short name, version, date and type of the composes that count as of the same day. */
  readonly release: { readonly short: string; readonly version: string };
  readonly date: string;
  readonly type: string;
}

/** What a compose tracking service calls a compose. */
export interface RegisteredCompose {
  readonly id: string;
  /** `YYYYMMDD`. */
  readonly date: string;
  readonly respin: number;
}

/** A compose tracking service. Source: the public API of CTS, `/api/1/composes/`. */
export interface Cts {
  readonly url: string;
  /** Registers a compose; returns the name that it got. Throws `upstream.*`, `oidc.unanswered`. */
  readonly register: (compose: ComposeToRegister, signal: AbortSignal) => Promise<RegisteredCompose>;
  /** Finds the name of a compose that was registered under its URL; undefined where there is none. Throws `upstream.*`. */
  readonly find: (compose: ComposeToRegister, signal: AbortSignal) => Promise<RegisteredCompose | undefined>;
}

export type CtsSettings = Pick<
  Config,
  'cts_url' | 'cts_oidc_token_url' | 'cts_oidc_client_id' | 'cts_oidc_client_secret'
>;

const NAME = 'The compose tracking service';
/** Composes of one release, day and type that are looked through. */
const MOST_PAGES = 20;

const infoSchema = z.object({
  payload: z.object({
    compose: z.object({ id: z.string(), date: z.string().regex(/^\d{8}$/), respin: z.int().nonnegative() }),
  }),
});
const pageSchema = z.object({
  meta: z.object({ pages: z.number() }),
  items: z.array(z.object({ compose_url: z.string().nullish(), compose_info: infoSchema })),
});

/** Opens the compose tracking service of the settings; null where they name none. */
export function openCts(settings: CtsSettings): Cts | null {
  const { cts_url: url } = settings;
  if (url === '') return null;
  const reader = openJsonReader(url, NAME, { redirects: 'refuse' });
  const composes = `${reader.base}/api/1/composes/`;
  return {
    url: reader.base,
    async register(compose, signal) {
      const { parentIds, respinOf, composeinfo } = compose;
      const body = {
        compose_info: JSON.parse(composeinfo) as unknown,
        parent_compose_ids: parentIds.length === 0 ? null : parentIds,
        respin_of: respinOf,
        compose_url: compose.url,
      };
      const own = await withToken(settings, reader);
      return registeredIn(await own.post(composes, body, signal), composes);
    },
    async find(compose, signal) {
      if (compose.url === null) return undefined;
      const query = new URLSearchParams({
        release_short: compose.release.short,
        release_version: compose.release.version,
        date: compose.date,
        type: compose.type,
      });
      for (let page = 1; page <= MOST_PAGES; page += 1) {
        query.set('page', String(page));
        const where = `${composes}?${query.toString()}`;
        const found = pageSchema.safeParse(await reader.read(where, signal));
        if (!found.success) throw strange(where);
        const own = found.data.items.find(({ compose_url: shown }) => shown === compose.url);
        if (own !== undefined) return own.compose_info.payload.compose;
        if (page >= found.data.meta.pages) return undefined;
      }
      return undefined;
    },
  };
}

/** Returns a reader that says who asks, where the settings do. */
async function withToken(settings: CtsSettings, reader: JsonReader): Promise<JsonReader> {
  const { cts_oidc_token_url: tokenUrl, cts_oidc_client_id: id, cts_oidc_client_secret: secret } = settings;
  if (tokenUrl === '') return reader;
  using client = openProviderClient([tokenUrl], '');
  const form = { grant_type: 'client_credentials', client_id: id, client_secret: secret };
  const { access_token: token } = await client.ask(tokenUrl, { form });
  if (typeof token !== 'string') {
    throw new ReactorError(
      'oidc.unanswered',
      'The OIDC provider gave no token for the compose tracking service.',
      {
        where: tokenUrl,
        fate: 'retry',
      },
    );
  }
  return openJsonReader(reader.base, NAME, {
    redirects: 'refuse',
    headers: { authorization: `Bearer ${token}` },
  });
}

function registeredIn(answer: unknown, where: string): RegisteredCompose {
  const info = infoSchema.safeParse(answer);
  if (!info.success) throw strange(where);
  return info.data.payload.compose;
}

function strange(where: string): ReactorError {
  return new ReactorError('upstream.strange_answer', `${NAME} answered something that is no compose.`, {
    where,
    hint: 'Check that cts_url leads to it and not to a page in front of it.',
    fate: 'retry',
  });
}

import { ReactorError } from '../model/errors.ts';
import { formatComposeinfo, pungiComposeId, type ComposeIdentity } from '../rpm/productmd.ts';
import type { ComposeToRegister, Cts } from '../upstream/cts.ts';

/** What a main compose is registered with. */
export interface RegisterInput {
  readonly identity: ComposeIdentity;
  /** Its public URL; null where it has none. */
  readonly url: string | null;
  /** The number of the attempt: what an earlier one registered is taken up. */
  readonly attempt: number;
}

/** Returns whether a compose is registered once it is built: main composes are, where there is a tracking service. */
export function isRegistered({ cts }: { readonly cts: Cts | null }, { release }: ComposeIdentity): boolean {
  return cts !== null && release !== undefined;
}

/**
 * Registers a main compose; returns what its metadata call it then. Others have names of their own. Throws
 * `cts.strange_id`, `upstream.*`, `oidc.unanswered`. Source: Pungi, cts_url.
 */
export async function registerCompose(
  { cts, signal }: { readonly cts: Cts | null; readonly signal: AbortSignal },
  { identity, url, attempt }: RegisterInput,
): Promise<ComposeIdentity> {
  const { release, date, type, parentIds = [], respinOf = null } = identity;
  if (cts === null || release === undefined) return identity;
  const compose: ComposeToRegister = {
    composeinfo: formatComposeinfo(identity, []),
    parentIds,
    respinOf: respinOf === '' ? null : respinOf,
    url,
    release,
    date,
    type,
  };
  const earlier = attempt > 1 ? await cts.find(compose, signal) : undefined;
  const given = earlier ?? (await cts.register(compose, signal));
  const named = { ...identity, date: given.date, respin: given.respin };
  if (pungiComposeId(named) === given.id) return named;
  throw new ReactorError(
    'cts.strange_id',
    `The compose tracking service called the compose ${JSON.stringify(given.id)}, which is no id of ${release.short}-${release.version}.`,
    { where: cts.url, hint: 'Its release, type, date and respin do not make that id; look at the service.' },
  );
}

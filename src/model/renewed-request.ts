import type { Compose } from './compose-json.ts';
import type { RenewRequest } from './compose-request.ts';
import type { ComposeRequest } from './compose.ts';
import { wordsOf } from './request-fields.ts';

/**
 * Whether renewing makes a new compose instead of letting the old one live longer: it has ended badly or is gone,
 * or something of it is to change. An empty list of builds or modules counts as a change. `isDirectoryGone` is
 * true where the compose shows the directory of another one that was removed. Source: ODCS contract 5.
 */
export function isCopied(compose: Compose, renewal: RenewRequest, isDirectoryGone: boolean): boolean {
  return (
    compose.state !== 'done' ||
    isDirectoryGone ||
    renewal.builds !== null ||
    renewal.modules !== null ||
    (renewal.label !== null && renewal.label !== compose.label) ||
    (renewal.sigkeys !== null && renewal.sigkeys.join(' ') !== compose.sigkeys)
  );
}

/** The request of the copy: the old one as it was pinned, with what is to change. Source: ODCS contract 5. */
export function renewedRequest(compose: Compose, renewal: RenewRequest): ComposeRequest {
  const { request } = compose;
  return {
    ...request,
    source: wordsOf(compose.source),
    arches: wordsOf(compose.arches),
    sigkeys: renewal.sigkeys ?? (compose.sigkeys === '' ? request.sigkeys : compose.sigkeys.split(' ')),
    kojiEvent: compose.kojiEvent,
    builds: renewal.builds?.length ? renewal.builds : request.builds,
    modules: renewal.modules?.length ? renewal.modules : request.modules,
    label: renewal.label ?? compose.label,
    composeType: compose.composeType,
    respinOf: compose.pungiComposeId,
    targetDir: compose.targetDir,
    secondsToLive: renewal.secondsToLive,
  };
}

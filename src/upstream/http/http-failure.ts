import { messageOf, ReactorError } from '../../model/errors.ts';
import { AddressRefused } from './private-address.ts';

/** What went wrong with one request. */
export type HttpFailureKind =
  /** No connection, no answer, or one that broke off. */
  | 'unreachable'
  /** An answer with a status that is not success. */
  | 'status'
  /** More bytes than may be read. */
  | 'too_large'
  /** A redirect that leads nowhere or goes on for ever. */
  | 'redirect'
  /** A body in an encoding that cannot be undone. */
  | 'encoding';

/** A request that failed, for a caller to put into its own words. */
export class HttpFailure extends Error {
  override readonly name = 'HttpFailure';
  readonly kind: HttpFailureKind;
  readonly url: string;
  /** 0 where there was no answer. */
  readonly status: number;
  /** What the server asks to wait before the next try, in milliseconds. */
  readonly retryAfterMs: number | null;
  /** The beginning of what the server said with a status. */
  readonly said: string;

  constructor(
    kind: HttpFailureKind,
    url: string,
    message: string,
    details: { status?: number; retryAfterMs?: number | null; said?: string; cause?: unknown } = {},
  ) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.kind = kind;
    this.url = url;
    this.status = details.status ?? 0;
    this.retryAfterMs = details.retryAfterMs ?? null;
    this.said = details.said ?? '';
  }

  /** Whether the same request may succeed later. */
  get mayPass(): boolean {
    switch (this.kind) {
      case 'unreachable':
        return true;
      case 'status':
        return this.status >= 500 || [408, 425, 429].includes(this.status);
      case 'too_large':
      case 'redirect':
      case 'encoding':
        return false;
      default:
        return this.kind satisfies never;
    }
  }
}

/** Whom a request is for, so that an error names them and not somebody else. */
export interface HttpPeer {
  /** At the beginning of a sentence: `The repository`, `Bodhi`. */
  readonly name: string;
  readonly codes: { readonly unreachable: string; readonly refused: string; readonly missing?: string };
  /** Whether what is missing may be there soon: an upstream that is written meanwhile. */
  readonly mayAppear?: boolean;
  readonly hints?: { readonly unreachable?: string; readonly refused?: string; readonly missing?: string };
}

/** Puts what a request threw into the words of its peer; errors that have a code already are passed on. */
export function describeFailure(thrown: unknown, peer: HttpPeer, where: string): ReactorError {
  if (thrown instanceof ReactorError) return thrown;
  const failure = toFailure(thrown, where);
  const at = {
    where:
      failure.url === URL.parse(where)?.href || failure.url === where ? where : `${where} -> ${failure.url}`,
    cause: failure,
  };
  const fate = failure.mayPass ? 'retry' : 'drop';
  const { name, codes, hints = {} } = peer;
  switch (failure.kind) {
    case 'unreachable':
      return new ReactorError(codes.unreachable, `${name} cannot be reached: ${failure.message}.`, {
        ...at,
        fate,
        ...(hints.unreachable === undefined ? {} : { hint: hints.unreachable }),
      });
    case 'status': {
      const isMissing = (failure.status === 404 || failure.status === 410) && codes.missing !== undefined;
      const hint = isMissing ? hints.missing : hints.refused;
      const code = isMissing ? (codes.missing ?? codes.refused) : codes.refused;
      return new ReactorError(code, `${name} ${failure.message}.`, {
        ...at,
        fate: isMissing && peer.mayAppear === true ? 'retry' : fate,
        ...(hint === undefined ? {} : { hint }),
      });
    }
    case 'too_large':
      return new ReactorError('http.too_large', `${name} sends more than is read: ${failure.message}.`, at);
    case 'redirect':
      return new ReactorError('http.redirect_refused', `${name} redirects wrongly: ${failure.message}.`, at);
    case 'encoding':
      return new ReactorError('http.encoding_unknown', `${name} answered in ${failure.message}.`, at);
    default:
      return failure.kind satisfies never;
  }
}

/** Turns whatever a request threw into a failure; an address that may not be connected to has its own code. */
export function toFailure(thrown: unknown, url: string): HttpFailure {
  if (thrown instanceof HttpFailure) return thrown;
  const refused = findRefusal(thrown);
  if (refused !== null) {
    throw new ReactorError('http.address_refused', `${refused.message}.`, {
      where: url,
      hint: 'List the host by its name, or the network, in repo_hosts if it is to be read from.',
      cause: thrown,
    });
  }
  return new HttpFailure('unreachable', url, causeOf(thrown), { cause: thrown });
}

function findRefusal(thrown: unknown): AddressRefused | null {
  for (let at = thrown; at instanceof Error; at = at.cause) if (at instanceof AddressRefused) return at;
  return null;
}

const words: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'the connection was refused',
  ECONNRESET: 'the connection broke off',
  EPIPE: 'the connection broke off',
  UND_ERR_SOCKET: 'the connection broke off',
  ENOTFOUND: 'DNS does not know the name',
  EAI_AGAIN: 'DNS does not answer',
  EHOSTUNREACH: 'there is no way to the host',
  ENETUNREACH: 'there is no way to the network',
  ETIMEDOUT: 'time-out while connecting',
  UND_ERR_CONNECT_TIMEOUT: 'time-out while connecting',
  UND_ERR_HEADERS_TIMEOUT: 'time-out while waiting for the answer',
  UND_ERR_BODY_TIMEOUT: 'time-out in the middle of the answer',
};

/** Says in words why a request failed: the innermost cause, not "fetch failed". */
function causeOf(thrown: unknown): string {
  let inner = thrown;
  for (let depth = 0; depth < 8 && inner instanceof Error; depth += 1) {
    const next = inner instanceof AggregateError ? inner.errors[0] : inner.cause;
    if (!(next instanceof Error)) break;
    inner = next;
  }
  if (!(inner instanceof Error)) return messageOf(inner);
  if (inner.name === 'TimeoutError') return 'it took too long altogether';
  const code = 'code' in inner ? String(inner.code) : '';
  const known = words[code];
  if (known !== undefined) return `${known} (${inner.message.replace(/\.$/, '')})`;
  const isTls = /CERT|TLS|SSL|UNABLE_TO|SELF_SIGNED|EPROTO/.test(code);
  return isTls ? `TLS: ${inner.message} (${code})` : inner.message;
}

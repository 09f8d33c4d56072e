import type { X509Certificate } from 'node:crypto';
import { TLSSocket } from 'node:tls';
import type { ApiEnv } from './context.ts';

/** What the client's certificate says, or why it says nothing. */
export type ClientCertificate =
  | { readonly kind: 'verified'; readonly subject: string }
  | { readonly kind: 'unverified'; readonly why: string };

/** Returns what the certificate of a connection says that this service verified itself. */
export function clientCertificateOf(bindings: ApiEnv['Bindings'] | undefined): ClientCertificate {
  const socket: unknown = bindings?.incoming?.socket;
  // As Apache calls it in SSL_CLIENT_VERIFY.
  if (!(socket instanceof TLSSocket)) return { kind: 'unverified', why: 'NONE' };
  const certificate = socket.getPeerX509Certificate();
  if (certificate === undefined) return { kind: 'unverified', why: 'NONE' };
  if (!socket.authorized) return { kind: 'unverified', why: String(socket.authorizationError) };
  return { kind: 'verified', subject: formatSubject(certificate) };
}

/**
 * Returns the subject as Apache writes SSL_CLIENT_S_DN: RFC 2253, the most specific part first. Node gives one part a
 * line, the least specific first, with the same escapes.
 */
function formatSubject({ subject }: Pick<X509Certificate, 'subject'>): string {
  // An empty subject is undefined, whatever the types say.
  const lines = (subject ?? '').split('\n').filter((line) => line !== '');
  return lines
    .toReversed()
    .map((line) => line.split(' + ').toReversed().join('+'))
    .join(',');
}

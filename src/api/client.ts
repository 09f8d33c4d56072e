import { BlockList, isIP } from 'node:net';
import type { Config } from '../config.ts';
import { ReactorError } from '../model/errors.ts';
import type { ApiEnv } from './context.ts';

/** Who is at the other end, and under which address this service is known there. */
export interface Client {
  /** Whether authentication and forwarding headers are believed. */
  readonly isTrustedProxy: boolean;
  /** Whether the request was made on this very machine. */
  readonly isLoopback: boolean;
  /**
   * Whether the request may have what is open to this machine alone: it was made here, and, where callers are known,
   * not through a proxy, whose clients may be anywhere.
   */
  readonly isLocalClient: boolean;
  /** Scheme, host and mount prefix of this service as the client sees it; no final slash. */
  readonly publicBase: string;
  /** The mount prefix alone, empty or with a leading slash. */
  readonly prefix: string;
}

const forwardingHeaders = [
  'x-forwarded-for',
  'x-forwarded-host',
  'x-forwarded-proto',
  'x-real-ip',
  'forwarded',
  'via',
];
const loopback = new BlockList();
loopback.addSubnet('127.0.0.0', 8, 'ipv4');
loopback.addAddress('::1', 'ipv6');

const trustLists = new WeakMap<readonly string[], BlockList>();

/**
 * The addresses and networks that are trusted. Throws `config.invalid_value` for what is neither: a proxy that is
 * silently not trusted would lock everybody out.
 */
export function trustList(proxies: Config['trusted_proxies']): BlockList {
  const known = trustLists.get(proxies);
  if (known !== undefined) return known;
  const list = new BlockList();
  for (const proxy of proxies) {
    const [address = '', bits] = proxy.split('/');
    const family = isIP(address) === 6 ? 'ipv6' : 'ipv4';
    const isUsable = isIP(address) !== 0 && (bits === undefined || /^\d{1,3}$/.test(bits));
    if (!isUsable || Number(bits ?? 0) > (family === 'ipv6' ? 128 : 32)) {
      throw new ReactorError(
        'config.invalid_value',
        `The setting "trusted_proxies" names "${proxy}", which is neither an address nor a network.`,
        { hint: 'Write addresses as 127.0.0.1 or ::1, networks as 10.0.0.0/8.', fate: 'halt' },
      );
    }
    if (bits === undefined) list.addAddress(address, family);
    else list.addSubnet(address, Number(bits), family);
  }
  trustLists.set(proxies, list);
  return list;
}

/** Whether a host in an URL means this very machine. */
export function isLoopbackHost(hostname: string): boolean {
  const plain = hostname.replace(/^\[|\]$/g, '');
  return plain === 'localhost' || plain.endsWith('.localhost') || isIn(loopback, plain);
}

function isIn(list: BlockList, address: string): boolean {
  const plain = address.replace(/^::ffff:(?=\d+\.)/i, '');
  const version = isIP(plain);
  return version !== 0 && list.check(plain, version === 6 ? 'ipv6' : 'ipv4');
}

/**
 * Reads the peer's address and, where it is a trusted proxy, what it says of the client in front of it:
 * `X-Forwarded-For`, `X-Forwarded-Host`, `X-Forwarded-Proto` or `X-Scheme`, and `X-Script-Name`. From anybody
 * else those headers mean nothing. Source: ODCS contract 1, its missing trust check mended.
 */
export function clientOf(
  request: Request,
  bindings: ApiEnv['Bindings'] | undefined,
  config: Pick<Config, 'trusted_proxies' | 'auth_backend'>,
): Client {
  const peer = bindings?.incoming?.socket.remoteAddress ?? '';
  const trusted = trustList(config.trusted_proxies);
  const isTrustedProxy = isIn(trusted, peer);
  const header = (name: string): string => (isTrustedProxy ? (request.headers.get(name) ?? '') : '');
  const lastOf = (name: string): string => header(name).split(',').at(-1)?.trim() ?? '';
  const url = new URL(request.url);
  const host = lastOf('x-forwarded-host');
  const scheme = (lastOf('x-forwarded-proto') || lastOf('x-scheme')).toLowerCase();
  const prefix = prefixOf(header('x-script-name'));
  const authority = /^[\w.\-[\]:]+$/.test(host) ? host : url.host;
  const protocol = scheme === 'http' || scheme === 'https' ? scheme : url.protocol.slice(0, -1);
  const isForwarded = forwardingHeaders.some((name) => request.headers.has(name));
  const forwardedFor = lastUntrusted(header('x-forwarded-for'), trusted);
  const isLoopback = isIn(loopback, peer) && (!isForwarded || isIn(loopback, forwardedFor));
  return {
    isTrustedProxy,
    isLoopback,
    isLocalClient: isLoopback && (config.auth_backend === 'noauth' || !(isTrustedProxy || isForwarded)),
    publicBase: `${protocol}://${authority}${prefix}`,
    prefix,
  };
}

/** Proxies append, so the client is the last address that is not one of ours. */
function lastUntrusted(chain: string, trusted: BlockList): string {
  const addresses = chain.split(',').map((address) => address.trim());
  return addresses.findLast((address) => !isIn(trusted, address)) ?? addresses[0] ?? '';
}

function prefixOf(scriptName: string): string {
  const prefix = scriptName.trim().replace(/\/+$/, '');
  return /^(\/[\w.~-]+)+$/.test(prefix) ? prefix : '';
}

import { BlockList, isIP } from 'node:net';

/**
 * Who points to a URL: a person on this machine, a person elsewhere, or an upstream (a redirect, an `xml:base`, a
 * location of a package) that a person's own choice led to.
 */
export type Pointer = 'local person' | 'person' | 'upstream';

interface HostEntry {
  readonly matches: (host: string) => boolean;
  /** The only port it stands for; null for any that people name and the usual one where upstreams lead. */
  readonly port: string | null;
  readonly kind: 'name' | 'suffix' | 'network';
}

/** Hosts that may be fetched from, as the setting `repo_hosts` lists them. */
export interface HostList {
  /** Whether a URL may be fetched that this one points to. */
  allows(url: URL, pointer: Pointer): boolean;
  /** Whether a host is trusted to lie at an address of a private network. */
  mayBeAt(host: string, address: string): boolean;
}

const loopbackName = /^(?:localhost|.*\.localhost)$/;
const loopback = new BlockList();
loopback.addSubnet('127.0.0.0', 8);
loopback.addAddress('::1', 'ipv6');

/** The host of a URL without the brackets of an IPv6 address. */
export function hostOf(url: URL): string {
  return url.hostname.replace(/^\[|\]$/g, '');
}

/** Whether a host is this machine by its very name. */
export function isLoopback(host: string): boolean {
  return loopbackName.test(host) || isIn(loopback, host);
}

function isIn(list: BlockList, address: string): boolean {
  const family = isIP(address);
  return family !== 0 && list.check(address, family === 6 ? 'ipv6' : 'ipv4');
}

/**
 * Reads entries: `name`, `name:port`, `*.name` (all below it), `.name` (it and all below it), an address, or a network
 * like `10.0.0.0/8`. What is none of these stands for no host: the table of settings refuses it before.
 */
export function parseHostList(entries: readonly string[]): HostList {
  const parsed = entries.map(parseEntry);
  const list: HostList = {
    allows(url, pointer) {
      const host = hostOf(url);
      return parsed.some((entry) => entry.matches(host) && isPortOpen(entry, url, host, pointer));
    },
    mayBeAt(host, address) {
      return parsed.some(({ kind, matches }) => (kind === 'name' ? matches(host) : matches(address)));
    },
  };
  return list;
}

/**
 * An entry with a port says all there is to say. One without stands for any port where a person names it, but an
 * upstream may lead to the usual port only, and to this machine not at all: nobody on it has asked.
 */
function isPortOpen(entry: HostEntry, url: URL, host: string, pointer: Pointer): boolean {
  if (entry.port !== null) return entry.port === portOf(url);
  if (isLoopback(host) && pointer !== 'local person') return false;
  return pointer !== 'upstream' || url.port === '';
}

function portOf(url: URL): string {
  return url.port === '' ? (url.protocol === 'https:' ? '443' : '80') : url.port;
}

function parseEntry(text: string): HostEntry {
  const entry = text.trim().toLowerCase();
  const network = /^([0-9a-f.:]+)\/(\d+)$/.exec(entry);
  if (network !== null) return networkEntry(network[1] ?? '', Number(network[2]));
  const [, bracketed, plain, port] = /^(?:\[([^\]]+)\]|([^:]*))(?::(\d+))?$/.exec(entry) ?? [];
  const host = bracketed ?? plain ?? entry;
  const isPattern = host.startsWith('.') || host.startsWith('*.');
  if (!isPattern) return { kind: 'name', port: port ?? null, matches: (found) => found === host };
  const suffix = host.replace(/^\*/, '');
  const hasTop = host.startsWith('.');
  return {
    kind: 'suffix',
    port: port ?? null,
    matches: (found) =>
      isIP(found) === 0 &&
      ((found.endsWith(suffix) && found.length > suffix.length) || (hasTop && found === suffix.slice(1))),
  };
}

function networkEntry(address: string, bits: number): HostEntry {
  const list = new BlockList();
  const family = isIP(address);
  if (family !== 0 && bits <= (family === 6 ? 128 : 32)) {
    list.addSubnet(address, bits, family === 6 ? 'ipv6' : 'ipv4');
  }
  return { kind: 'network', port: null, matches: (found) => isIn(list, found) };
}

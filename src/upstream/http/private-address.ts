import { lookup, type LookupAddress } from 'node:dns';
import { BlockList, isIP, type LookupFunction } from 'node:net';

const inward = new BlockList();
for (const [address, bits] of [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['224.0.0.0', 3],
] as const) {
  inward.addSubnet(address, bits, 'ipv4');
}
for (const [address, bits] of [
  ['::', 127],
  ['fc00::', 7],
  ['fe80::', 10],
  ['ff00::', 8],
  // Ways of writing an IPv4 address that lead to networks only this machine sees.
  ['64:ff9b::', 96],
  ['64:ff9b:1::', 48],
  ['2002::', 16],
] as const) {
  inward.addSubnet(address, bits, 'ipv6');
}

/** Whether an address is of this machine, its link, a private network, or nobody's. Mapped addresses count as theirs. */
export function isPrivateAddress(address: string): boolean {
  const family = isIP(address);
  return family !== 0 && inward.check(address, family === 6 ? 'ipv6' : 'ipv4');
}

/** The address a name was resolved to may not be connected to. */
export class AddressRefused extends Error {
  override readonly name = 'AddressRefused';
  readonly host: string;
  readonly address: string;

  constructor(host: string, address: string) {
    super(`${host} leads to ${address}, an address of a private network`);
    this.host = host;
    this.address = address;
  }
}

/**
 * Resolves names as `dns.lookup` does and hands on no address of a private network, unless `mayBeAt` allows it for
 * the name. It is asked when a connection is made, so what is checked is what is connected to.
 */
export function checkedLookup(mayBeAt: (host: string, address: string) => boolean): LookupFunction {
  return (host, options, callback) => {
    lookup(host, { ...options, all: true }, (error, found: LookupAddress[]) => {
      if (error !== null) {
        callback(error, '', 0);
        return;
      }
      const fit = found.filter(({ address }) => !isPrivateAddress(address) || mayBeAt(host, address));
      const [first] = fit;
      if (first === undefined) callback(new AddressRefused(host, found[0]?.address ?? ''), '', 0);
      else if (options.all === true) callback(null, fit);
      else callback(null, first.address, first.family);
    });
  };
}

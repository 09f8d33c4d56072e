import { basename } from 'node:path';
import type { Clock } from '../../clock.ts';
import type { KojiHub } from '../../upstream/koji/hub.ts';
import { urlOfPath } from '../../upstream/koji/koji-path.ts';
import type { SourcePackage } from '../selection.ts';
import { indexCopies, type KojiFileSource } from '../sources/index-copies.ts';
import type { IndexedCopy, KojiIndex } from '../sources/koji-index.ts';
import { chooseCopies, readSigningWish, requireSigned } from '../sources/signing.ts';
import type { ModuleMeans } from './module-source.ts';

export interface OfferMeans {
  readonly hub: KojiHub;
  readonly source: KojiFileSource;
  readonly index: KojiIndex;
  readonly clock: Clock;
}

/**
 * Offers packages of Koji in the copies that the sigkeys wish for, none unsigned unless that is wished, with metadata read
 * once for ever. Throws `koji.not_signed_yet`, `koji.signed_copy_missing` and what `indexCopies` throws.
 * Source: Pungi contract 2.1.1 and module contract 4.2.
 */
export function offerPackages(means: OfferMeans): ModuleMeans['offer'] {
  return async (context, packages, sigkeys) => {
    const { hub, source, index, clock } = means;
    const wish = readSigningWish(sigkeys);
    const copies = await chooseCopies(packages, wish, source.files, index.knownCopies());
    await requireSigned(hub, copies, wish, null);
    const progress = (done: number, total: number): void =>
      context.progress('index', done, total, 'packages');
    const now = clock.now();
    const indexed = await indexCopies({ hub, source, index, now, signal: context.signal, progress }, copies);
    const offered = new Map(indexed.map((one) => [toSourcePackage(source, index, one), one.key]));
    return {
      packages: [...offered.keys()],
      loadFragments: async (wanted) =>
        wanted.map((one) => {
          const key = offered.get(one);
          if (key === undefined) throw new Error(`${one.fileName} was not offered here`);
          return () => index.package(key).fragments;
        }),
    };
  };
}

function toSourcePackage(
  source: KojiFileSource,
  index: KojiIndex,
  { copy, key, facts }: IndexedCopy,
): SourcePackage {
  const { rpm } = copy.package;
  const local = source.files.localPath(copy.path);
  const payloadHash = copy.package.kind === 'build' ? copy.package.rpm.payloadHash : null;
  return {
    name: rpm.name,
    epoch: rpm.epoch,
    version: rpm.version,
    release: rpm.release,
    arch: rpm.arch,
    sourceRpm: index.package(key).record.sourceRpm,
    fileName: basename(copy.path),
    payload: payloadHash === null ? `sha256:${facts.pkgid}` : `md5:${payloadHash}`,
    sigkey: facts.sigkey,
    size: facts.size,
    origin:
      local === null
        ? { kind: 'http', url: urlOfPath(source.files.where, copy.path), sha256: facts.pkgid }
        : { kind: 'file', path: local },
  };
}

import { createHash } from 'node:crypto';
import { ReactorError } from '../../../model/errors.ts';
import type { ReadUrl } from '../../../rpm/repodata/location.ts';
import { openRepository } from '../../../rpm/repodata/read-repository.ts';
import type { PulpRepository } from '../../../upstream/pulp/pulp.ts';
import type { SelectContext } from '../../selection.ts';

/** What the metadata of repositories are just now. */
export interface RepositoryDigests {
  /** Of the checksums that `repomd.xml` lists; one whose metadata cannot be read has none. */
  readonly digests: ReadonlyMap<PulpRepository, string>;
  /** A sentence for each of those. */
  readonly remarks: readonly string[];
}

const AT_ONCE = 8;

/**
 * Reads what tells one state of a repository from another. Clients may be let in where the service is not: such a
 * repository is only remarked on. Throws what may pass, `repodata.unreachable` for example.
 */
export async function readDigests(
  readUrl: ReadUrl,
  { signal, progress }: Pick<SelectContext, 'signal' | 'progress'>,
  repositories: readonly PulpRepository[],
): Promise<RepositoryDigests> {
  const digests = new Map<PulpRepository, string>();
  const remarks: string[] = [];
  for (let at = 0; at < repositories.length; at += AT_ONCE) {
    progress('read repositories', at, repositories.length, 'repositories');
    const some = repositories.slice(at, at + AT_ONCE).map(async (repository) => {
      try {
        digests.set(repository, await readDigest(readUrl, repository, signal));
      } catch (error) {
        signal.throwIfAborted();
        if (!(error instanceof ReactorError) || error.fate !== 'drop') throw error;
        remarks.push(
          `The metadata of ${repository.id} cannot be read, changes of them are not seen: ${error.message}`,
        );
      }
    });
    await Promise.all(some);
  }
  return { digests, remarks: remarks.sort() };
}

async function readDigest(
  readUrl: ReadUrl,
  { ownUrl }: PulpRepository,
  signal: AbortSignal,
): Promise<string> {
  const { records } = await openRepository({ readUrl, signal }, ownUrl);
  const lines = records.map(
    ({ type, checksum }) => `${type} ${checksum?.type ?? ''} ${checksum?.value ?? ''}`,
  );
  return createHash('sha256').update(lines.sort().join('\n')).digest('hex');
}

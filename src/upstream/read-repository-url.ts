import { ReactorError } from '../model/errors.ts';
import type { ReadUrl } from '../rpm/repodata/location.ts';
import type { HttpClient } from './http/http-client.ts';
import { describeFailure, HttpFailure, type HttpPeer } from './http/http-failure.ts';
import { readBytes } from './http/read-body.ts';

/** One file of metadata, however slowly it comes: a server must not hold a compose for ever. */
const ANSWER_WITHIN = 300_000;

const peer: HttpPeer = {
  name: 'The repository',
  codes: {
    unreachable: 'repodata.unreachable',
    refused: 'repodata.unreadable',
    missing: 'repodata.unreadable',
  },
  hints: { missing: 'Is this a repository, with repodata/repomd.xml in it?' },
};

/**
 * Returns what reads the metadata of repositories over HTTP, held to the policy of the client; each try may take so many
 * milliseconds.
 */
export function repositoryReader(client: HttpClient, timeoutMs = ANSWER_WITHIN): ReadUrl {
  return async (url, limit, signal, ledFrom) => {
    try {
      return await client.fetch({ url, signal, ledFrom, timeoutMs }, (answer) =>
        readBytes(answer, { limit }),
      );
    } catch (thrown) {
      signal?.throwIfAborted();
      if (thrown instanceof HttpFailure && thrown.kind === 'too_large') {
        throw new ReactorError('repodata.too_large', `The repository sends ${thrown.message}.`, {
          where: url,
          cause: thrown,
        });
      }
      throw describeFailure(thrown, peer, url);
    }
  };
}

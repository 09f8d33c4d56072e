import { z } from 'zod';
import { ReactorError } from '../../model/errors.ts';
import type { JsonReader } from '../http/read-json.ts';
import type { Pulp, PulpRepository } from './pulp.ts';
import { contentUrl, noteOf, readNotes } from './pulp-notes.ts';

const repositoryShape = z.object({
  id: z.string(),
  notes: z.record(z.string(), z.unknown()).nullish(),
});

/** Repositories that are asked for by id at the same time. */
const AT_ONCE = 8;

/**
 * Returns a client of Pulp 2. `clientBase` is what the relative URLs of repositories lie below for clients. Source: ODCS
 * contract 18.
 */
export function connectPulp2(json: JsonReader, clientBase: string): Pulp {
  const api = `${json.base}/pulp/api/v2/repositories`;
  const toRepository = ({ id, notes }: z.infer<typeof repositoryShape>): PulpRepository | null => {
    const path = noteOf(notes ?? {}, 'relative_url');
    // Without one it was never meant to be read.
    if (path === null) return null;
    return {
      id,
      ...readNotes(notes ?? {}),
      url: contentUrl(clientBase, path, id),
      ownUrl: contentUrl(json.base, path, id),
      isPublished: /^true$/i.test(noteOf(notes ?? {}, 'include_in_download_service') ?? ''),
    };
  };
  return {
    async findByContentSet(names, { withUnpublished, signal }) {
      const address = `${api}/search/`;
      const filters = {
        'notes.content_set': { $in: names },
        ...(withUnpublished ? {} : { 'notes.include_in_download_service': 'True' }),
      };
      const answer = await json.post(address, { criteria: { filters, fields: ['notes', 'id'] } }, signal);
      if (answer === undefined) throw apiMissing(address);
      const wanted = new Set(names);
      return parse(z.array(repositoryShape), answer, address)
        .flatMap((row) => toRepository(row) ?? [])
        .filter(({ contentSet }) => contentSet !== null && wanted.has(contentSet))
        .filter(({ isPublished }) => withUnpublished || isPublished);
    },
    async findById(ids, { signal }) {
      const found: PulpRepository[] = [];
      for (let at = 0; at < ids.length; at += AT_ONCE) {
        const some = ids.slice(at, at + AT_ONCE).map(async (id) => {
          const address = `${api}/${encodeURIComponent(id)}/`;
          const answer = await json.read(address, signal);
          return answer === undefined ? null : toRepository(parse(repositoryShape, answer, address));
        });
        found.push(...(await Promise.all(some)).filter((repository) => repository !== null));
      }
      return found;
    },
  };
}

function apiMissing(where: string): ReactorError {
  return new ReactorError('pulp.api_missing', 'Pulp does not have the API of version 2.', {
    where,
    hint: 'Set pulp_version to 3 if it is a Pulp 3, and write pulp_server_url without /pulp/api.',
  });
}

/** Returns what an answer is. Throws `upstream.strange_answer`. */
function parse<T>(shape: z.ZodType<T>, answer: unknown, where: string): T {
  const parsed = shape.safeParse(answer);
  if (parsed.success) return parsed.data;
  throw new ReactorError(
    'upstream.strange_answer',
    'Pulp answered something that is no repository of Pulp 2.',
    {
      where,
      fate: 'retry',
      cause: parsed.error,
    },
  );
}

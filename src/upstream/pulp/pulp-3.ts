import { z } from 'zod';
import { ReactorError } from '../../model/errors.ts';
import type { JsonReader } from '../http/read-json.ts';
import type { Pulp, PulpRepository } from './pulp.ts';
import { contentUrl, noteOf, readNotes } from './pulp-notes.ts';

const distributionShape = z.object({
  name: z.string(),
  base_path: z.string(),
  base_url: z.string().nullish(),
  hidden: z.boolean().nullish(),
  repository: z.string().nullish(),
  repository_version: z.string().nullish(),
  publication: z.string().nullish(),
  pulp_labels: z.record(z.string(), z.unknown()).nullish(),
});
const pageShape = z.object({ count: z.number(), results: z.array(distributionShape) });

const PER_PAGE = 100;
const MOST_PAGES = 100;
/** Arches that a path may name, where labels do not. */
const arches = new Set('aarch64 armhfp i386 i686 ppc64 ppc64le riscv64 s390x x86_64'.split(' '));

/**
 * Returns a client of Pulp 3, whose repositories are its RPM distributions. Labels say what the notes of Pulp 2 said:
 * `content_set`, `arch`, `signatures`, `product_versions`, `include_in_download_service`. `clientBase` is what their
 * paths lie below for clients; null means the URLs that Pulp gives.
 */
export function connectPulp3(json: JsonReader, clientBase: string | null): Pulp {
  const api = `${json.base}/pulp/api/v3/distributions/rpm/rpm/`;
  const list = async (filter: Readonly<Record<string, string>>, signal: AbortSignal) => {
    const found: PulpRepository[] = [];
    for (let page = 0; page < MOST_PAGES; page += 1) {
      const address = new URL(api);
      const range = { limit: String(PER_PAGE), offset: String(page * PER_PAGE) };
      for (const [name, value] of Object.entries({ ...filter, ...range })) {
        address.searchParams.set(name, value);
      }
      const { count, results } = parsePage(await json.read(address.href, signal), address.href);
      found.push(...results.map((result) => toRepository(json.base, clientBase, result)));
      if (results.length === 0 || (page + 1) * PER_PAGE >= count) break;
    }
    return found;
  };
  return {
    async findByContentSet(names, { withUnpublished, signal }) {
      const found: PulpRepository[] = [];
      for (const name of names) {
        const labelled = await list({ pulp_label_select: `content_set=${name}` }, signal);
        // A Pulp that does not know the filter answers with all it has.
        found.push(...labelled.filter(({ contentSet }) => contentSet === name));
      }
      return found.filter(({ isPublished }) => withUnpublished || isPublished);
    },
    async findById(ids, { signal }) {
      const found: PulpRepository[] = [];
      for (let at = 0; at < ids.length; at += PER_PAGE) {
        const some = ids.slice(at, at + PER_PAGE);
        const named = await list({ name__in: some.join(',') }, signal);
        found.push(...named.filter(({ id }) => some.includes(id)));
      }
      return found;
    },
  };
}

function toRepository(
  server: string,
  clientBase: string | null,
  distribution: z.infer<typeof distributionShape>,
): PulpRepository {
  const { name, base_path: path, base_url: baseUrl, pulp_labels: labels } = distribution;
  const notes = readNotes(labels ?? {});
  const ownUrl = urlOf(baseUrl ?? `/pulp/content/${path}`, server, name);
  const { hidden, repository, repository_version: version, publication } = distribution;
  const hasContent = [repository, version, publication].some((href) => typeof href === 'string');
  const isMeant = !/^false$/i.test(noteOf(labels ?? {}, 'include_in_download_service') ?? '');
  return {
    id: name,
    ...notes,
    arch: notes.arch ?? path.split('/').find((part) => arches.has(part)) ?? null,
    url: clientBase === null ? ownUrl : contentUrl(clientBase, path, name),
    ownUrl,
    isPublished: hasContent && isMeant && hidden !== true,
  };
}

/** Returns the URL that Pulp gives, which newer ones give without their host. Throws `pulp.path_outside`. */
function urlOf(text: string, server: string, name: string): string {
  const url = /^https?:\/\//i.test(text) ? URL.parse(text) : null;
  if (url !== null && url.username === '' && url.password === '' && url.search === '' && url.hash === '') {
    return url.href.replace(/\/+$/, '');
  }
  return contentUrl(new URL(server).origin, text, name);
}

function parsePage(answer: unknown, where: string): z.infer<typeof pageShape> {
  if (answer === undefined) {
    throw new ReactorError('pulp.api_missing', 'Pulp does not have the API of version 3.', {
      where,
      hint: 'Set pulp_version to 2 if it is a Pulp 2, and write pulp_server_url without /pulp/api.',
    });
  }
  const parsed = pageShape.safeParse(answer);
  if (parsed.success) return parsed.data;
  throw new ReactorError(
    'upstream.strange_answer',
    'Pulp answered something that is no list of distributions of Pulp 3.',
    { where, fate: 'retry', cause: parsed.error },
  );
}

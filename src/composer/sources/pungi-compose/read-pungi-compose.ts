import { ReactorError } from '../../../model/errors.ts';
import { isName } from '../../../model/names.ts';
import type { HttpClient } from '../../../upstream/http/http-client.ts';
import { describeFailure, HttpFailure, type HttpPeer } from '../../../upstream/http/http-failure.ts';
import { readText, TEXT_ENCODINGS } from '../../../upstream/http/read-body.ts';
import { readVariantPaths, readVariantRpms, type ArchPaths, type VariantRpms } from './pungi-metadata.ts';

/** One variant of a finished compose of Pungi. */
export interface PungiVariant extends VariantRpms {
  /** URL of the directory `compose/`, without a slash at its end. */
  readonly url: string;
  /** Arch to its repositories, relative to that. */
  readonly repositories: ReadonlyMap<string, ArchPaths>;
}

/** Bytes of one metadata file: all of Fedora has about 150 MB in rpms.json. */
const MOST_BYTES = 256 * 1024 * 1024;
const STATUS_BYTES = 4_096;
const ANSWER_WITHIN = 300_000;

const peer: HttpPeer = {
  name: 'The compose',
  codes: { unreachable: 'pungi.unreachable', refused: 'pungi.refused', missing: 'pungi.metadata_missing' },
  hints: {
    missing:
      'Write the URL of a variant, https://HOST/…/compose/Server: the metadata lie in metadata/ beside it. The compose may be gone.',
  },
};

/**
 * Reads what a compose says of the variant that a URL names. Throws `pungi.*`, `http.*`, `repo.not_allowed`. Source:
 * ODCS contract 15.
 */
export async function readPungiCompose(
  http: HttpClient,
  source: string,
  signal: AbortSignal,
): Promise<PungiVariant> {
  const { url, variant } = readVariantUrl(source);
  const read = async (place: string, limit: number): Promise<string> => {
    try {
      const headers = { 'accept-encoding': TEXT_ENCODINGS };
      return await http.fetch({ url: place, headers, signal, timeoutMs: ANSWER_WITHIN }, (answer) =>
        readText(answer, { limit }),
      );
    } catch (thrown) {
      signal.throwIfAborted();
      throw describeFailure(thrown, peer, place);
    }
  };
  await checkFinished(read, `${url.replace(/\/[^/]+$/, '')}/STATUS`);
  const composeinfo = `${url}/metadata/composeinfo.json`;
  const paths = readVariantPaths(await read(composeinfo, MOST_BYTES), variant, composeinfo);
  const rpmsJson = `${url}/metadata/rpms.json`;
  const rpms = await readVariantRpms(await read(rpmsJson, MOST_BYTES), variant, rpmsJson);
  if (rpms.composeId !== paths.composeId) {
    throw new ReactorError(
      'pungi.metadata_differ',
      `The metadata are of two composes: rpms.json of ${rpms.composeId}, composeinfo.json of ${paths.composeId}.`,
      { where: rpmsJson, fate: 'retry', hint: 'The compose was replaced while it was read.' },
    );
  }
  return { ...rpms, url, repositories: paths.arches };
}

/** Splits the URL of a variant. Throws `request.invalid_source`. */
function readVariantUrl(source: string): { readonly url: string; readonly variant: string } {
  const bare = source.replace(/\/+$/, '');
  const slash = bare.lastIndexOf('/');
  const variant = bare.slice(slash + 1);
  const url = URL.parse(bare.slice(0, slash));
  if (url !== null && url.search === '' && url.hash === '' && isName('variant', variant)) {
    return { url: url.href.replace(/\/+$/, ''), variant };
  }
  throw new ReactorError('request.invalid_source', `"${source}" is not the URL of a variant of a compose.`, {
    hint: 'Write https://HOST/…/compose/Server.',
  });
}

/** Pungi says in STATUS how far a compose is; servers that publish `compose/` alone do not have it. */
async function checkFinished(
  read: (place: string, limit: number) => Promise<string>,
  place: string,
): Promise<void> {
  let status: string;
  try {
    status = (await read(place, STATUS_BYTES)).trim();
  } catch (error) {
    if (!(error instanceof ReactorError) || error.fate === 'retry') throw error;
    if (!(error.cause instanceof HttpFailure) || error.cause.kind === 'redirect') throw error;
    return;
  }
  const isStatus = /^[A-Z_]+$/.test(status);
  if (!isStatus || status === 'FINISHED' || status === 'FINISHED_INCOMPLETE') return;
  throw new ReactorError('pungi.not_finished', `The compose is ${status}, not FINISHED.`, {
    where: place,
    hint: 'Ask again once it is finished, or name another one.',
  });
}

import { ReactorError } from '../../../model/errors.ts';
import type { ComposeRequest } from '../../../model/compose.ts';
import { packagesOf } from '../../../model/request-rules.ts';
import { parseHostList } from '../../../upstream/http/host-list.ts';
import type { HttpClient } from '../../../upstream/http/http-client.ts';
import type { Koji } from '../../koji/koji.ts';
import { kojiSource } from '../../koji/koji-source.ts';
import { FragmentKeeper } from '../../repositories/fragment-keeper.ts';
import { RepositoryCache } from '../../repositories/repository-cache.ts';
import { checkPresent } from '../../requested-packages.ts';
import type { SelectContext, Selected, SelectPackages } from '../../selection.ts';
import type { SourceContext } from '../source-definition.ts';
import { readPungiCompose, type PungiVariant } from './read-pungi-compose.ts';
import { selectFiles, type FilesContext } from './select-files.ts';

/** Returns the source of variants of finished composes of Pungi. */
export function openPungiComposeSource(context: SourceContext): SelectPackages {
  const { config, koji, http, readUrl, targetDirs, documentTypes, caches } = context;
  return createPungiComposeSource({
    http,
    koji,
    repositories: caches.register(new RepositoryCache({ readUrl })),
    fragments: caches.register(new FragmentKeeper()),
    leads: {
      repoRoots: config.repo_roots,
      targetDirs: Object.values(targetDirs),
      hosts: parseHostList(config.repo_hosts),
    },
    documentTypes,
  });
}

export interface PungiComposeSourceContext extends FilesContext {
  readonly http: HttpClient;
  /** Null where Koji is not configured. */
  readonly koji: Koji | null;
}

/**
 * Source type `pungi_compose`: the builds that a variant of a finished compose lists, out of Koji; where Koji does not
 * have them, or there is none, the RPMs of the compose itself. Its arches and sigkeys become those of the new one.
 * Throws `pungi.*`, `compose.parts_whole`, `compose.packages_missing` and what reading Koji or repositories throws.
 * Source: ODCS contract 15.
 */
function createPungiComposeSource(pungi: PungiComposeSourceContext): SelectPackages {
  return async (context, request) => {
    if (packagesOf(request) !== null) {
      throw new ReactorError('compose.parts_whole', 'A compose of a Pungi compose holds its variant whole.', {
        hint: 'Leave packages out, or compose the packages from their own source.',
      });
    }
    context.progress('resolve', 0, 1, 'step');
    const compose = await readPungiCompose(pungi.http, request.source[0] ?? '', context.signal);
    const { selection, reader } = await select(pungi, context, request, compose);
    return {
      reader,
      selection: {
        ...selection,
        pins: {
          source: request.source.join(' '),
          kojiEvent: request.kojiEvent,
          arches: compose.arches.join(' '),
          sigkeys: compose.sigkeys.join(' '),
        },
      },
    };
  };
}

async function select(
  pungi: PungiComposeSourceContext,
  context: SelectContext,
  request: ComposeRequest,
  compose: PungiVariant,
): Promise<Selected> {
  if (pungi.koji === null) return selectFiles(pungi, context, compose);
  try {
    return await selectBuilds(pungi.koji, context, request, compose);
  } catch (error) {
    if (!(error instanceof ReactorError) || !notInKoji.has(error.code)) throw error;
    const { selection, reader } = await selectFiles(pungi, context, compose);
    const remark = `The packages come from ${compose.composeId} itself, Koji does not have them all: ${error.message}`;
    return { reader, selection: { ...selection, remarks: [...selection.remarks, remark] } };
  }
}

/** What says that Koji does not have what a compose was made of. */
const notInKoji = new Set([
  'koji.build_unknown',
  'koji.build_deleted',
  'koji.build_incomplete',
  'koji.not_signed_yet',
  'koji.signed_copy_missing',
  'koji.file_missing',
]);

async function selectBuilds(
  koji: Koji,
  context: SelectContext,
  request: ComposeRequest,
  { builds, names, arches, sigkeys }: PungiVariant,
): Promise<Selected> {
  const selected = await kojiSource(koji)(context, {
    ...request,
    sourceType: 'build',
    source: [],
    builds,
    packages: names,
    arches,
    sigkeys,
  });
  checkPresent(names, selected.selection);
  return selected;
}

import { TEMPORARY, type ComposeRequest } from '../../../model/compose.ts';
import { ReactorError } from '../../../model/errors.ts';
import { packagesOf } from '../../../model/request-rules.ts';
import { quoteBody } from '../../../model/python-repr.ts';
import { openPulp, type OpenedPulp } from '../../../upstream/pulp/open-pulp.ts';
import type { PulpRepository } from '../../../upstream/pulp/pulp.ts';
import {
  newSelection,
  type ForeignRepository,
  type SelectContext,
  type Selection,
  type SelectPackages,
} from '../../selection.ts';
import type { SourceContext } from '../source-definition.ts';
import { chooseRepositories, urlOfArches } from './choose-repositories.ts';
import { readDigests } from './read-digests.ts';

/** Returns the source of content sets and repositories of Pulp; null where the settings name no Pulp. */
export function openPulpSource({ config }: SourceContext): SelectPackages | null {
  const opened = openPulp(config);
  return opened === null ? null : createPulpSource({ ...opened, emptyArches: config.allowed_arches });
}

export interface PulpSourceContext extends OpenedPulp {
  /** The arches of a compose of which nothing was found. */
  readonly emptyArches: readonly string[];
}

/**
 * Source type `pulp`: a `.repo` file that names repositories of Pulp, by content set or by id; no package is in the
 * compose. Their arches and sigkeys become those of the compose. Throws `pulp.absent`,
 * `compose.parts_whole` and what asking Pulp throws.
 * Source: ODCS contract 18.
 */
function createPulpSource(resources: PulpSourceContext): SelectPackages {
  return async (context, request) => {
    if (packagesOf(request) !== null) {
      throw new ReactorError(
        'compose.parts_whole',
        'A compose of Pulp names repositories, which are whole.',
        {
          hint: 'Leave packages out.',
        },
      );
    }
    context.progress('resolve', 0, 1, 'step');
    const found = await findRepositories(resources, context, request);
    const selection =
      found.size === 0
        ? emptySelection(resources)
        : await selectRepositories(resources, context, request, found);
    return { selection, reader: { loadFragments: () => Promise.resolve([]) } };
  };
}

/** Finds the repositories of every word, first by content set, then by id. Throws `pulp.absent`. */
async function findRepositories(
  { pulp }: PulpSourceContext,
  { signal }: SelectContext,
  { source, flags }: ComposeRequest,
): Promise<ReadonlyMap<string, readonly PulpRepository[]>> {
  const withUnpublished = flags.includes('include_unpublished_pulp_repos');
  const found = new Map<string, readonly PulpRepository[]>();
  for (const [set, own] of Map.groupBy(
    await pulp.findByContentSet(source, { withUnpublished, signal }),
    ({ contentSet }) => contentSet ?? '',
  )) {
    found.set(set, own);
  }
  const known = new Set([...found.values()].flatMap((own) => own.map(({ id }) => id)));
  const left = source.filter((word) => !found.has(word) && !known.has(word));
  for (const repository of left.length === 0 ? [] : await pulp.findById(left, { signal })) {
    if (repository.isPublished || withUnpublished) found.set(repository.id, [repository]);
  }
  const absent = source.filter((word) => !found.has(word) && !known.has(word));
  if (absent.length > 0 && !flags.includes('ignore_absent_pulp_repos')) {
    const [all, only] = [source, [...found.keys()]].map((list) => quoteBody([...list].sort()));
    throw new ReactorError(
      'pulp.absent',
      `Failed to find all the source(s) ${all} in Pulp, found only ${only}`,
      {
        hint: `Not found: ${absent.slice(0, 20).join(', ')}. The flag ignore_absent_pulp_repos leaves them out, include_unpublished_pulp_repos takes unpublished ones.`,
      },
    );
  }
  return found;
}

/** An empty repository for each arch, for clients that must have one. */
function emptySelection({ emptyArches }: PulpSourceContext): Selection {
  const trees = emptyArches.map((arch) => ({ variant: TEMPORARY, arch, binary: [], debug: [], source: [] }));
  const pins = { source: '', kojiEvent: null, arches: emptyArches.join(' '), sigkeys: '' };
  return newSelection({ pins, trees });
}

async function selectRepositories(
  { readUrl }: PulpSourceContext,
  context: SelectContext,
  request: ComposeRequest,
  found: ReadonlyMap<string, readonly PulpRepository[]>,
): Promise<Selection> {
  const names = [...found.keys()].sort();
  const isOnlyCompatible = request.flags.includes('use_only_compatible_arch');
  const chosen = names.flatMap((name) => chooseRepositories(name, found.get(name) ?? []));
  const all = chosen.flatMap(({ repositories }) => repositories);
  const { digests, remarks } = await readDigests(readUrl, context, all);
  const foreign = chosen.map(({ id, url, repositories }): ForeignRepository => ({
    id,
    url: isOnlyCompatible ? urlOfArches({ url, arch: repositories[0]?.arch ?? null }) : url,
    maySkip: isOnlyCompatible,
    digests: repositories
      .map((repository) => `${repository.arch ?? 'any'} ${digests.get(repository) ?? '?'}`)
      .sort(),
  }));
  const arches = [...new Set(all.flatMap(({ arch }) => arch ?? []))].sort();
  const isAbsent = request.flags.includes('ignore_absent_pulp_repos');
  return {
    ...newSelection({
      pins: {
        source: (isAbsent ? names : request.source).join(' '),
        kojiEvent: request.kojiEvent,
        arches: (arches.length === 0 ? request.arches : arches).join(' '),
        sigkeys: [...new Set(all.flatMap(({ signatures }) => signatures))].sort().join(' '),
      },
      trees: [],
      remarks: [...remarks, ...missArches(request, all)],
    }),
    variants: [],
    foreign,
  };
}

function missArches({ arches }: ComposeRequest, repositories: readonly PulpRepository[]): readonly string[] {
  const known = new Set(repositories.map(({ arch }) => arch));
  if (known.has(null)) return [];
  return arches
    .filter((arch) => !known.has(arch))
    .map((arch) => `None of the repositories of Pulp is for ${arch}.`);
}

import type { ComposeRequest } from '../../model/compose.ts';
import { ReactorError } from '../../model/errors.ts';
import type { TagOptions } from '../../model/tag-options.ts';
import { getBuildsWithRpms, type BuildContent } from '../../upstream/koji/hub-builds.ts';
import { listTagged, type TagContent } from '../../upstream/koji/hub-tags.ts';
import type { KojiBuild, KojiRpm } from '../../upstream/koji/koji-build.ts';
import type { ReplacedBuild, SelectContext } from '../selection.ts';
import {
  chooseBuilds,
  firstOfEach,
  isEmbargoed,
  packagesWithHistory,
  type EmbargoFacts,
  type LeftOutBuild,
} from './choose-builds.ts';
import { TagPackages, type KojiPackage } from './koji-package-set.ts';
import type { Koji } from './koji.ts';
import type { PinnedContent } from './koji-tag-reader.ts';
import { mapBounded } from './map-bounded.ts';
import { pinTag, type KojiPin } from './pin.ts';

/** The builds that a request takes from its tags. */
export interface ReadTags {
  readonly content: TagContent;
  /** Where packages that are kept from compose to compose are. */
  readonly packages: Pick<TagPackages, 'of'>;
  /** Builds that are taken beside a newer one of their package. */
  readonly previous: readonly BuildContent[];
  readonly event: number;
  /** Of every tag that was looked at. */
  readonly pins: readonly KojiPin[];
  readonly embargo: EmbargoFacts | null;
  readonly warnings: readonly string[];
  readonly replaced: readonly ReplacedBuild[];
}

const NO_OPTIONS: TagOptions = {
  only: null,
  except: [],
  unsignedArches: [],
  waitForSignaturesMs: 0,
  embargo: null,
  previousBuilds: null,
  releasedTag: null,
};
const CALLS_AT_ONCE = 4;
/** More packages than so are looked up with their whole tag. */
const MOST_ALONE = 50;

type Reading = Pick<SelectContext, 'signal' | 'log' | 'isPrivate'>;

/**
 * Reads the tags of a request, in their order and all at one event, and chooses builds as it says. Throws
 * `koji.tag_unknown`, `koji.event_*` and what the hub throws.
 */
export async function readTags(
  koji: Koji,
  context: Reading,
  { source, flags, kojiEvent, tagOptions: options = NO_OPTIONS }: ComposeRequest,
): Promise<ReadTags> {
  const { signal } = context;
  const inherit = !flags.includes('no_inheritance');
  const [first = '', ...others] = source;
  const read: PinnedContent[] = [
    await koji.tags.read({ tag: first, event: kojiEvent, inherit }, koji.clock.now(), signal),
  ];
  const event = read[0]?.pin.event.id ?? 0;
  for (const tag of others) {
    const wish = { tag, event, inherit, isLast: kojiEvent === null };
    read.push(await koji.tags.read(wish, koji.clock.now(), signal));
  }
  const only = read[0];
  if (only !== undefined && read.length === 1 && !choosesBuilds(options)) {
    const { content, packages, pin } = only;
    const told = { warnings: [], replaced: [] };
    return { content, packages, previous: [], event, pins: [pin], embargo: null, ...told };
  }
  const aside = new BesideTags(koji, event, signal);
  const embargo = await readEmbargo(aside, options);
  const released = await readReleased(aside, options);
  const candidates = firstOfEach(
    read.map(({ content }) => content.builds.values()),
    options,
  );
  const history = await readHistory(
    { koji, tags: source, event, inherit, signal },
    packagesWithHistory(candidates, { options, embargo }),
  );
  const { builds, previous, leftOut } = chooseBuilds(candidates, { options, embargo, released, history });
  const told = tellLeftOut(context, leftOut);
  return {
    ...(await contentOf(koji, read, builds, signal)),
    previous: await getBuildsWithRpms(
      koji.hub,
      previous.map(({ nvr }) => nvr),
      { signal },
    ),
    event,
    pins: [...read.map(({ pin }) => pin), ...aside.pins],
    embargo,
    ...told,
  };
}

/** Refuses builds under embargo that a request names. Throws `koji.build_embargoed`. */
export function refuseEmbargoed(
  { isPrivate }: Pick<SelectContext, 'isPrivate'>,
  named: readonly BuildContent[],
  embargo: EmbargoFacts | null,
): void {
  const refused = named.filter(({ build }) => isEmbargoed(build, embargo)).map(({ build }) => build.nvr);
  if (refused.length === 0) return;
  // Whether a build is under embargo is nothing for everybody.
  const which = isPrivate === true ? `: ${refused.join(', ')}` : '';
  throw new ReactorError(
    'koji.build_embargoed',
    `The request names builds that are under embargo by its own words${which}.`,
    { hint: 'Name other builds, or take them out of "embargo".' },
  );
}

function choosesBuilds({ only, except, embargo, previousBuilds, releasedTag }: TagOptions): boolean {
  return (
    only !== null || except.length > 0 || embargo !== null || previousBuilds !== null || releasedTag !== null
  );
}

/** Reads builds of tags beside those of the compose, each pinned to its event. */
class BesideTags {
  readonly pins: KojiPin[] = [];
  readonly #koji: Koji;
  readonly #event: number;
  readonly #signal: AbortSignal;

  constructor(koji: Koji, event: number, signal: AbortSignal) {
    this.#koji = koji;
    this.#event = event;
    this.#signal = signal;
  }

  async list(
    tag: string,
    { inherit, latest }: { readonly inherit: boolean; readonly latest: boolean },
  ): Promise<readonly KojiBuild[]> {
    const { hub } = this.#koji;
    const signal = this.#signal;
    this.pins.push(await pinTag(hub, { tag, event: this.#event, inherit }, { signal }));
    return listTagged(hub, { tag, event: this.#event, inherit, latest, signal });
  }
}

async function readEmbargo(aside: BesideTags, { embargo }: TagOptions): Promise<EmbargoFacts | null> {
  if (embargo === null) return null;
  const tagged = new Set<number>();
  for (const tag of embargo.tags) {
    for (const { id } of await aside.list(tag, { inherit: false, latest: false })) tagged.add(id);
  }
  const shipped = new Set<number>();
  for (const tag of embargo.shippedTags) {
    for (const { id } of await aside.list(tag, { inherit: true, latest: false })) shipped.add(id);
  }
  return { tagged, patterns: embargo.builds, shipped };
}

async function readReleased(
  aside: BesideTags,
  { releasedTag }: TagOptions,
): Promise<ReadonlyMap<string, KojiBuild> | null> {
  if (releasedTag === null) return null;
  const builds = await aside.list(releasedTag, { inherit: true, latest: true });
  return new Map(builds.map((build) => [build.packageName, build]));
}

interface HistoryQuery {
  readonly koji: Koji;
  readonly tags: readonly string[];
  readonly event: number;
  readonly inherit: boolean;
  readonly signal: AbortSignal;
}

/** Returns all builds of packages that are in the tags, in their order. */
async function readHistory(
  { koji, tags, event, inherit, signal }: HistoryQuery,
  names: readonly string[],
): Promise<ReadonlyMap<string, readonly KojiBuild[]>> {
  const query = { event, inherit, latest: false, signal };
  const history = new Map<string, KojiBuild[]>(names.map((name) => [name, []]));
  for (const tag of names.length === 0 ? [] : tags) {
    const lists =
      names.length > MOST_ALONE
        ? [await listTagged(koji.hub, { ...query, tag })]
        : await mapBounded(names, CALLS_AT_ONCE, (name) =>
            listTagged(koji.hub, { ...query, tag, package: name }),
          );
    for (const build of lists.flat()) {
      const known = history.get(build.packageName);
      if (known?.every(({ id }) => id !== build.id) === true) known.push(build);
    }
  }
  return history;
}

/** Returns the content that these builds are, with what was read of the tags as it is kept there. */
async function contentOf(
  koji: Koji,
  read: readonly PinnedContent[],
  builds: readonly KojiBuild[],
  signal: AbortSignal,
): Promise<Pick<ReadTags, 'content' | 'packages'>> {
  const chosen = new Map<number, KojiBuild>();
  const keptBy = new Map<number, TagPackages>();
  const rpms: KojiRpm[] = [];
  const wanted = new Set(builds.map(({ id }) => id));
  for (const { content, packages } of read) {
    const own = new Set<number>();
    for (const [id, build] of content.builds) {
      if (!wanted.has(id) || chosen.has(id)) continue;
      own.add(id);
      chosen.set(id, build);
      keptBy.set(id, packages);
    }
    for (const rpm of content.rpms) if (own.has(rpm.buildId)) rpms.push(rpm);
  }
  const more = builds.filter(({ id }) => !chosen.has(id)).map(({ nvr }) => nvr);
  for (const { build, rpms: added } of await getBuildsWithRpms(koji.hub, more, { signal })) {
    chosen.set(build.id, build);
    rpms.push(...added);
  }
  const alone = new TagPackages();
  const of = (rpm: KojiRpm, build: KojiBuild): KojiPackage => (keptBy.get(build.id) ?? alone).of(rpm, build);
  return { content: { rpms, builds: chosen }, packages: { of } };
}

/** Says what is left out: to the log, and to people as far as it is for all who may read the compose. */
function tellLeftOut(
  { log, isPrivate = false }: Pick<Reading, 'log' | 'isPrivate'>,
  leftOut: readonly LeftOutBuild[],
): Pick<ReadTags, 'warnings' | 'replaced'> {
  const named = leftOut.filter(({ why }) => isPrivate || why !== 'embargo');
  const hidden = leftOut.length - named.length;
  for (const { why, build, instead } of leftOut) {
    log.info({ why, build: build.nvr, instead: instead?.nvr ?? null }, 'a build of a tag is left out');
  }
  const warnings = named.map(({ why, build, instead }) => {
    switch (why) {
      case 'embargo':
        return instead === null
          ? `${build.nvr} is under embargo, and no other build of ${build.packageName} is there: it is left out.`
          : `${build.nvr} is under embargo: ${instead.nvr} stands in for it.`;
      case 'released':
        return `${build.nvr} is older than what was released of ${build.packageName}: it is left out.`;
      default:
        return why satisfies never;
    }
  });
  // How many they are, and of what, is nothing for everybody.
  if (hidden > 0)
    warnings.unshift('Builds under embargo are left out; older ones stand in where there are any.');
  return {
    warnings,
    replaced: named.map(({ build, instead }) => ({ build: build.nvr, instead: instead?.nvr ?? null })),
  };
}

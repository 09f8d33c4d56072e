import { LRUCache } from 'lru-cache';
import type { Cache, CacheSize } from '../../cache/cache-registry.ts';
import { SharedWork } from '../../shared-work.ts';
import { queryContentChanges, queryTagHistory } from '../../upstream/koji/hub-events.ts';
import { listTaggedRpms, type TagContent } from '../../upstream/koji/hub-tags.ts';
import type { KojiHub } from '../../upstream/koji/hub.ts';
import { mapBounded } from './map-bounded.ts';
import { TagPackages } from './koji-package-set.ts';
import { hasTagChanged, pinTag, type KojiPin } from './pin.ts';

/** The content of a tag at the event it is pinned to. */
export interface PinnedContent {
  readonly pin: KojiPin;
  readonly content: TagContent;
  /** The packages of the content, which go on with it as long as it is kept. */
  readonly packages: TagPackages;
}

export interface TagWish {
  readonly tag: string;
  readonly event: number | null;
  readonly inherit: boolean;
  /** Whether the event is the last one: what was read at an earlier last one is brought to it. */
  readonly isLast?: boolean;
}

interface Kept extends PinnedContent {
  /** When the whole tag was read, in milliseconds. */
  readonly readAt: number;
}

/** After so long a tag is read whole again: changes without a line in the history would stay unseen else. */
const WHOLE_AGAIN_MS = 10 * 60_000;
const MOST_PACKAGES = 40;
const LISTED_AT_ONCE = 4;

/**
 * Reads tags and keeps the last few, so that asking again costs three small calls where nothing changed, and one
 * small listing for each package that was tagged or untagged since.
 */
export class KojiTagReader implements Cache {
  readonly #hub: KojiHub;
  readonly #kept: LRUCache<string, Kept>;
  readonly #reading = new SharedWork<PinnedContent>();

  constructor(hub: KojiHub, most = 4) {
    this.#hub = hub;
    this.#kept = new LRUCache({ max: most });
  }

  /** Returns how many tags are kept. */
  measure(): readonly CacheSize[] {
    return [{ name: 'koji tags', entries: this.#kept.size, bytes: null }];
  }

  /**
   * Pins a tag and reads it. Requests for the same tag at the same time share one answer. Throws `koji.tag_unknown`,
   * `koji.event_unknown`, `koji.event_in_future`, what the hub throws, and the reason of the signal.
   */
  async read(wish: TagWish, now: Date, signal?: AbortSignal): Promise<PinnedContent> {
    const kept = `${wish.tag}\n${wish.inherit}\n${wish.isLast === true ? '' : (wish.event ?? '')}`;
    const reading = `${kept}\n${wish.event ?? ''}`;
    return this.#reading.run(reading, signal, (until) => this.#read(kept, wish, now, until));
  }

  /** Forgets a tag, so that it is read whole the next time. */
  forget(tag: string): void {
    for (const key of this.#kept.keys()) if (key.startsWith(`${tag}\n`)) this.#kept.delete(key);
  }

  async #read(key: string, wish: TagWish, now: Date, signal: AbortSignal): Promise<PinnedContent> {
    const pin = await pinTag(this.#hub, wish, { signal });
    const kept = this.#kept.get(key);
    // A copy of the hub's database that is behind does not tell what was seen in another one.
    const isUsable =
      kept !== undefined && kept.pin.event.id <= pin.event.id && now.getTime() - kept.readAt < WHOLE_AGAIN_MS;
    const content = isUsable ? await this.#refresh(kept, wish, pin, signal) : null;
    const packages = kept?.packages ?? new TagPackages();
    const whole = content ?? (await this.#list(wish, pin, signal));
    packages.keepOnly(whole.rpms);
    const read: Kept = {
      pin,
      content: whole,
      packages,
      readAt: content === null ? now.getTime() : (kept?.readAt ?? 0),
    };
    this.#kept.set(key, read);
    return read;
  }

  #list(wish: TagWish, pin: KojiPin, signal: AbortSignal | undefined, name?: string): Promise<TagContent> {
    return listTaggedRpms(this.#hub, {
      tag: wish.tag,
      event: pin.event.id,
      inherit: wish.inherit,
      signal,
      ...(name === undefined ? {} : { package: name }),
    });
  }

  /** What was kept, brought to another event; null where the whole tag must be read. */
  async #refresh(
    kept: Kept,
    wish: TagWish,
    pin: KojiPin,
    signal: AbortSignal | undefined,
  ): Promise<TagContent | null> {
    // Besides other parents this notices another tag of the same name, which no history tells.
    if (kept.pin.treeIds.join() !== pin.treeIds.join()) return null;
    if (kept.pin.event.id === pin.event.id && kept.pin.recent === pin.recent) return kept.content;
    if (!(await hasTagChanged(this.#hub, kept.pin, { signal }))) return kept.content;
    const range = { afterEvent: kept.pin.recentSince, signal };
    const [changes, happenings] = await Promise.all([
      queryContentChanges(this.#hub, { ...range, upToEvent: pin.event.id, tagIds: pin.treeIds }),
      queryTagHistory(this.#hub, range),
    ]);
    if (changes.some((line) => !line.startsWith('tag_listing '))) return null;
    const tree = new Set(pin.treeIds);
    const names = new Set(
      happenings.filter((happening) => tree.has(happening.tagId)).map((happening) => happening.name),
    );
    if (names.size > MOST_PACKAGES) return null;
    const listed = await mapBounded(
      [...names],
      LISTED_AT_ONCE,
      async (name) => [name, await this.#list(wish, pin, signal, name)] as const,
    );
    return replacePackages(kept.content, new Map(listed));
  }
}

/** The content of a tag with the builds of some packages exchanged; `fresh` is by the name of the package. */
export function replacePackages(content: TagContent, fresh: ReadonlyMap<string, TagContent>): TagContent {
  const builds = new Map([...content.builds].filter(([, build]) => !fresh.has(build.packageName)));
  const rpms = content.rpms.filter((rpm) => builds.has(rpm.buildId));
  for (const [name, listed] of fresh) {
    const added = new Map([...listed.builds].filter(([, build]) => build.packageName === name));
    for (const [id, build] of added) builds.set(id, build);
    for (const rpm of listed.rpms) if (added.has(rpm.buildId)) rpms.push(rpm);
  }
  return { rpms, builds };
}

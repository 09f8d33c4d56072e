import { EventLog } from './event-log.ts';
import type {
  InheritanceRow,
  StoredBuild,
  StoredRpm,
  StoredTask,
  TagConfigRow,
  TagExtraRow,
  TagListingRow,
  TagPackageRow,
  TagUpdateRow,
  TargetRow,
} from './hub-rows.ts';
import { nvrOf } from './hub-rows.ts';
import { NumberedNames } from './numbered-names.ts';
import { VersionedTable } from './versioned-table.ts';

/** Everything a hub stores. What is versioned, and what is not: Koji contract 2. */
export class HubTables {
  readonly events = new EventLog();
  readonly tagConfig = new VersionedTable<TagConfigRow>(this.events);
  readonly tagExtra = new VersionedTable<TagExtraRow>(this.events);
  readonly tagListing = new VersionedTable<TagListingRow>(this.events);
  readonly tagPackages = new VersionedTable<TagPackageRow>(this.events);
  readonly tagInheritance = new VersionedTable<InheritanceRow>(this.events);
  readonly targets = new VersionedTable<TargetRow>(this.events);
  readonly tagUpdates = new VersionedTable<TagUpdateRow>(this.events);
  readonly tagNames = new NumberedNames();
  readonly packageNames = new NumberedNames();
  readonly targetNames = new NumberedNames();
  readonly userNames = new NumberedNames();
  /** DEFAULT is number 0. */
  readonly volumes: string[] = ['DEFAULT'];
  readonly builds = new Map<number, StoredBuild>();
  readonly rpms = new Map<number, StoredRpm>();
  readonly tasks = new Map<number, StoredTask>();
  /** Hashes of the signature headers by RPM id and sigkey; `''` is the unsigned header. */
  readonly signatures = new Map<number, Map<string, string>>();
  readonly #lastIds = { build: 0, rpm: 0, task: 0 };

  /** The next number of a thing, or a wanted one that later ones come after. */
  takeId(kind: 'build' | 'rpm' | 'task', wanted = this.#lastIds[kind] + 1): number {
    this.#lastIds[kind] = Math.max(this.#lastIds[kind], wanted);
    return wanted;
  }

  /** The tables that belong to tags, whose changes are changes of the tag. */
  ofTags(): readonly Pick<VersionedTable<{ readonly tagId: number }>, 'history'>[] {
    return [
      this.tagListing,
      this.tagPackages,
      this.tagInheritance,
      this.tagConfig,
      this.tagExtra,
      this.tagUpdates,
    ];
  }

  /** Takes back what an event did to any table. */
  rollBack(event: number): void {
    this.tagConfig.rollBack(event);
    this.tagExtra.rollBack(event);
    this.tagListing.rollBack(event);
    this.tagPackages.rollBack(event);
    this.tagInheritance.rollBack(event);
    this.targets.rollBack(event);
    this.tagUpdates.rollBack(event);
    this.events.rollBack(event);
  }

  /** The number of a tag that exists at an event, or now. */
  findTag(tag: string | number, event: number | null): number | undefined {
    const id = typeof tag === 'number' ? tag : this.tagNames.find(tag);
    return this.tagConfig.at(event).some(({ content }) => content.tagId === id) ? id : undefined;
  }

  tagName(id: number): string {
    return this.tagNames.nameOf(id) ?? '';
  }

  findBuild(wanted: string | number): StoredBuild | undefined {
    if (typeof wanted === 'number') return this.builds.get(wanted);
    return [...this.builds.values()].find((build) => nvrOf(build) === wanted);
  }

  rpmsOf(buildId: number): readonly StoredRpm[] {
    return [...this.rpms.values()].filter((rpm) => rpm.buildId === buildId);
  }
}

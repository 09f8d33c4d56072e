import type { XmlRpcStruct } from '../../../../src/upstream/koji/xml-rpc-value.ts';
import * as builds from './change-builds.ts';
import * as contents from './change-contents.ts';
import * as tags from './change-tags.ts';
import type { HubChange } from './hub-change.ts';

/** Who does it. */
export interface By {
  readonly user?: string;
}

/**
 * What can be done to a hub, each as one request of Koji's own client. Each returns the event that it drew, null for
 * what takes none. Throws what the hub would refuse.
 */
export abstract class HubActions {
  /** Does one request: at once and committed, or as a part of a transaction. */
  protected abstract perform<Result>(
    by: By,
    work: (change: HubChange) => Result,
  ): { readonly event: number | null; readonly result: Result };

  #numbered(by: By, work: (change: HubChange) => void): number {
    const { event } = this.perform(by, work);
    if (event === null) throw new Error('the change drew no event');
    return event;
  }

  addTag(name: string, options: tags.NewTag & By = {}): number {
    return this.#numbered(options, (change) => tags.createTag(change, name, options));
  }

  removeTag(name: string, by: By = {}): number {
    return this.#numbered(by, (change) => tags.removeTag(change, name));
  }

  /** Makes a side tag as `koji add-sidetag` does; its name ends in its number. */
  addSidetag(base: string, by: By = {}): { readonly tag: string; readonly event: number } {
    const { event, result } = this.perform(by, (change) => tags.createSideTag(change, base));
    return { tag: result, event: event ?? 0 };
  }

  /** Ends a side tag: the tag, its target and all taggings are gone, and no message tells of it. */
  removeSidetag(name: string, by: By = {}): number {
    return this.removeTag(name, by);
  }

  editTag(name: string, options: { readonly arches?: string; readonly isLocked?: boolean } & By): number {
    const { user, ...wanted } = options;
    return this.#numbered(user === undefined ? {} : { user }, (change) => tags.editTag(change, name, wanted));
  }

  lockTag(name: string, by: By = {}): number {
    return this.editTag(name, { ...by, isLocked: true });
  }

  setTagExtra(name: string, extra: XmlRpcStruct, by: By = {}): number {
    return this.#numbered(by, (change) => tags.setExtra(change, name, extra));
  }

  renameTag(from: string, to: string, by: By = {}): null {
    this.perform(by, (change) => tags.renameTag(change, from, to));
    return null;
  }

  /** Adds or changes the links to the named parents; null removes one. */
  editInheritance(
    tag: string,
    parents: Readonly<Record<string, tags.ParentLink | null>>,
    by: By = {},
  ): number {
    return this.#numbered(by, (change) => tags.editInheritance(change, tag, parents));
  }

  addTarget(
    name: string,
    target: { readonly buildTag: string; readonly destTag: string },
    by: By = {},
  ): number {
    return this.#numbered(by, (change) => tags.setTarget(change, name, target));
  }

  addPackage(tag: string, name: string, by: By = {}): number {
    return this.#numbered(by, (change) => contents.setPackage(change, tag, name, 'add'));
  }

  blockPackage(tag: string, name: string, by: By = {}): number {
    return this.#numbered(by, (change) => contents.setPackage(change, tag, name, 'block'));
  }

  unblockPackage(tag: string, name: string, by: By = {}): number {
    return this.#numbered(by, (change) => contents.setPackage(change, tag, name, 'unblock'));
  }

  removePackage(tag: string, name: string, by: By = {}): number {
    return this.#numbered(by, (change) => contents.removePackage(change, tag, name));
  }

  tag(tag: string, nvr: string, options: By & { readonly isForced?: boolean } = {}): number {
    const isForced = options.isForced ?? false;
    return this.#numbered(options, (change) => contents.tagBuild(change, tag, nvr, { isForced }));
  }

  untag(tag: string, nvr: string, by: By = {}): number {
    return this.#numbered(by, (change) => contents.untagBuild(change, tag, nvr));
  }

  /** Tags a build into one tag and takes it out of another, as one request with one event. */
  move(nvr: string, tagged: { readonly from: string; readonly to: string }, by: By = {}): number {
    return this.#numbered(by, (change) => {
      contents.tagBuild(change, tagged.to, nvr, { isForced: false });
      contents.untagBuild(change, tagged.from, nvr);
    });
  }

  importBuild(nvr: string, options: builds.NewBuild & By = {}): number {
    return this.#numbered(options, (change) => builds.importBuild(change, nvr, options));
  }

  startBuild(nvr: string, target: string, by: By = {}): number {
    return this.#numbered(by, (change) => builds.startBuild(change, nvr, target));
  }

  finishBuild(
    nvr: string,
    rpms: readonly builds.NewRpm[] = [{ arch: 'src' }, { arch: 'x86_64' }],
    by: By = {},
  ): null {
    this.perform(by, (change) => builds.endBuild(change, nvr, 'complete', rpms));
    return null;
  }

  cancelBuild(nvr: string, by: By = {}): null {
    this.perform(by, (change) => builds.endBuild(change, nvr, 'canceled', []));
    return null;
  }

  failBuild(nvr: string, by: By = {}): null {
    this.perform(by, (change) => builds.endBuild(change, nvr, 'failed', []));
    return null;
  }

  deleteBuild(nvr: string, by: By = {}): null {
    this.perform(by, (change) => builds.deleteBuild(change, nvr));
    return null;
  }

  /** Moves a build's files to another volume. The event, where the build is tagged; null where it is not. */
  moveVolume(nvr: string, volume: string, by: By = {}): number | null {
    return this.perform(by, (change) => builds.moveVolume(change, nvr, volume)).event;
  }

  /** Imports the signatures of a key for all RPMs of a build, or for those of some arches. */
  importSigned(
    nvr: string,
    sigkey: string,
    options: By & { readonly arches?: readonly string[] } = {},
  ): null {
    this.perform(options, (change) => builds.importSigned(change, nvr, sigkey, options.arches ?? []));
    return null;
  }

  /** Writes the signed copies of a key for all RPMs of a build, or for those of some arches. */
  writeSignedCopy(
    nvr: string,
    sigkey: string,
    options: By & { readonly arches?: readonly string[] } = {},
  ): null {
    this.perform(options, (change) => builds.writeSignedCopy(change, nvr, sigkey, options.arches ?? []));
    return null;
  }

  removeSignedCopy(nvr: string, sigkey: string, by: By = {}): null {
    this.perform(by, (change) => builds.removeSignedCopy(change, nvr, sigkey));
    return null;
  }
}

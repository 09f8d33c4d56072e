import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { readRpmFile } from '../../../src/rpm/header/read-rpm-header.ts';
import { digestsOf } from '../../../src/rpm/header/rpm-facts.ts';
import type { XmlRpcStruct, XmlRpcValue } from '../../../src/upstream/koji/xml-rpc-value.ts';
import { sharedPath } from '../../shared.ts';
import { ServedFault, type ServedAnswer, type ServedCall } from './hub-server.ts';

const buildSchema = z.object({
  id: z.number(),
  build_id: z.number(),
  name: z.string(),
  package_name: z.string(),
  version: z.string(),
  release: z.string(),
  epoch: z.number().nullable(),
  nvr: z.string(),
  volume_name: z.string(),
  volume_id: z.number(),
  state: z.number(),
  draft: z.boolean().optional(),
});
const rpmSchema = z.object({
  id: z.number(),
  name: z.string(),
  version: z.string(),
  release: z.string(),
  epoch: z.number().nullable(),
  arch: z.string(),
  build_id: z.number(),
  nvr: z.string(),
  size: z.number(),
  payloadhash: z.string().optional(),
});
const stateSchema = z.object({
  builds: z.record(z.string(), buildSchema),
  rpms: z.record(z.string(), z.array(rpmSchema)),
  tags: z.record(z.string(), z.array(z.string())),
  tasks: z.record(z.string(), z.object({ children: z.array(z.number()) })),
  results: z.record(z.string(), z.object({ rpms: z.array(z.string()), srpms: z.array(z.string()) })),
});

export type HubState = z.infer<typeof stateSchema>;

/** One tagging of the small hub: from its event on, until it is revoked. */
interface Tagging {
  readonly tag: string;
  readonly nvr: string;
  readonly created: number;
  revoked: number | null;
}

/**
 * The state that the recorded composes were made of. Its RPM ids repeat, which no hub's do: they are renumbered. The
 * payload hashes that it lacks are read from the files.
 */
export function readHubState(): HubState {
  const state = stateSchema.parse(JSON.parse(readFileSync(sharedPath('pungi', 'koji-state.json'), 'utf8')));
  const builds = new Map(Object.values(state.builds).map((build) => [build.build_id, build]));
  let id = 0;
  for (const rpms of Object.values(state.rpms)) {
    for (const rpm of rpms) {
      id += 1;
      rpm.id = id;
      const build = builds.get(rpm.build_id);
      const file = `${rpm.name}-${rpm.version}-${rpm.release}.${rpm.arch}.rpm`;
      const place = [build?.name ?? '', build?.version ?? '', build?.release ?? '', rpm.arch, file];
      const path = sharedPath('pungi', 'koji-topdir', 'packages', ...place);
      const { sigmd5 } = digestsOf(readRpmFile(path, { pkgid: 'not asked' }).header);
      if (sigmd5 !== null) rpm.payloadhash = sigmd5;
    }
  }
  return state;
}

/** The event of the recorded composes; the content of the tags is some hours older. */
export const STATE_EVENT = 4242;
const CONTENT_EVENT = 4200;

/**
 * A small hub with a state of its own, tags without inheritance, and a history of what was tagged. It answers as
 * the calls of the recorded composes were answered.
 */
export class StateHub {
  readonly state: HubState;
  readonly signatures = new Map<number, Set<string>>();
  /** Builds under way, and the tag that they are built for. */
  readonly building = new Map<string, string>();
  /** Old hubs cannot tell the last change of a tag. */
  tellsLastChange = true;
  readonly #taggings: Tagging[] = [];
  /** Events that were drawn and not committed yet, so that nobody sees them. */
  readonly #hidden = new Set<number>();
  /** Called after each listing of a tag, before it is answered. */
  onListed: (() => void) | null = null;
  /** Seconds of the clock that stamps events. */
  now = 1_795_340_000;
  #events = new Map<number, number>([
    [CONTENT_EVENT, 1_795_300_000],
    [STATE_EVENT, 1_795_333_000],
  ]);

  constructor(state: HubState = readHubState()) {
    this.state = state;
    for (const [tag, nvrs] of Object.entries(state.tags)) {
      for (const nvr of nvrs) this.#taggings.push({ tag, nvr, created: CONTENT_EVENT, revoked: null });
    }
  }

  #draw(): number {
    const id = Math.max(...this.#events.keys(), ...this.#hidden) + 1;
    this.#events.set(id, this.now);
    return id;
  }

  tag(tag: string, nvr: string): number {
    const event = this.#draw();
    this.#taggings.push({ tag, nvr, created: event, revoked: null });
    return event;
  }

  untag(tag: string, nvr: string): number {
    const event = this.#draw();
    for (const tagging of this.#taggings) {
      if (tagging.tag === tag && tagging.nvr === nvr) tagging.revoked ??= event;
    }
    return event;
  }

  /** Draws an event whose change becomes visible only when the answered function is called. */
  tagSlowly(tag: string, nvr: string): () => void {
    const event = this.tag(tag, nvr);
    this.#hidden.add(event);
    return () => this.#hidden.delete(event);
  }

  /** Adds a tag without content. */
  addTag(tag: string): void {
    this.state.tags[tag] ??= [];
  }

  /** Signs all RPMs of a build. */
  sign(nvr: string, sigkey: string): void {
    for (const { id } of this.state.rpms[nvr] ?? []) this.signatures.set(id, new Set([sigkey]));
  }

  /** Adds a build made like another one, and answers its NVR. */
  addBuild(build: z.infer<typeof buildSchema>, rpms: readonly z.infer<typeof rpmSchema>[]): string {
    this.state.builds[build.nvr] = build;
    this.state.rpms[build.nvr] = [...rpms];
    return build.nvr;
  }

  readonly answer = (call: ServedCall): ServedAnswer => ({ value: this.#value(call) });

  #value({ method, args, keywords }: ServedCall): XmlRpcValue {
    const [first, second] = args;
    switch (method) {
      case 'getLastEvent':
        return this.#lastEvent(keywords['before']);
      case 'getEvent':
        return this.#event(Number(first));
      case 'getTag':
        return this.#tag(String(first));
      case 'getFullInheritance':
        if (this.#tag(String(first)) === null)
          throw new ServedFault(1000, `No such entry in table tag: ${first}`);
        return [];
      case 'listTaggedRPMS':
        return this.#tagged(String(first), keywords['event'], keywords['package']);
      case 'getBuild':
        return this.#build(first);
      case 'listBuildRPMs':
        return this.#buildRpms(first);
      case 'getTaskChildren':
        return (this.state.tasks[String(first)]?.children ?? []).map((id) => ({ id }));
      case 'getTaskInfo':
        if (Number(first) >= 9000) return this.#buildTask(Number(first));
        return this.state.tasks[String(first)] === undefined ? null : { id: Number(first), state: 2 };
      case 'getTaskResult':
        return this.#result(String(first));
      case 'queryRPMSigs':
        return [...(this.signatures.get(Number(first)) ?? [])].map((sigkey) => ({
          rpm_id: Number(first),
          sigkey,
          sighash: '',
        }));
      case 'listTagged':
        return this.#listTagged(String(first));
      case 'getBuildTargets':
        return Object.keys(this.state.tags).map((tag) => ({ name: `${tag}-target`, dest_tag_name: tag }));
      case 'listBuilds':
        return [...this.building.keys()].map((nvr, index) => ({ nvr, task_id: 9000 + index }));
      case 'tagLastChangeEvent':
        return this.#lastChange(String(first));
      case 'tagChangedSinceEvent':
        return this.#hasChanged(Number(first), Array.isArray(second) ? second.map(Number) : []);
      case 'queryHistory':
        return { tag_listing: this.#history(Number(keywords['afterEvent'])) };
      default:
        throw new ServedFault(1000, `Invalid method: ${method}`);
    }
  }

  #isVisible(event: number | null): event is number {
    return event !== null && !this.#hidden.has(event);
  }

  #lastEvent(before: XmlRpcValue | undefined): XmlRpcValue {
    const limit = typeof before === 'number' ? before : Infinity;
    const ids = [...this.#events].filter(([id, ts]) => this.#isVisible(id) && ts < limit).map(([id]) => id);
    return ids.length === 0 ? null : this.#event(Math.max(...ids));
  }

  #event(id: number): XmlRpcValue {
    const ts = this.#events.get(id);
    return ts === undefined || this.#hidden.has(id) ? null : { id, ts };
  }

  #tag(name: string): XmlRpcValue {
    const id = Object.keys(this.state.tags).indexOf(name) + 1;
    return id === 0 ? null : { id, name, arches: 'x86_64', locked: false };
  }

  #tagged(tag: string, event: XmlRpcValue | undefined, name: XmlRpcValue | undefined): XmlRpcValue {
    if (this.#tag(tag) === null) throw new ServedFault(1000, `No such tagInfo: '${tag}'`);
    const at = typeof event === 'number' ? event : Infinity;
    const latest = new Map<string, Tagging>();
    for (const tagging of this.#taggings) {
      const isRevoked = this.#isVisible(tagging.revoked) && tagging.revoked <= at;
      if (tagging.tag !== tag || !this.#isVisible(tagging.created) || tagging.created > at || isRevoked)
        continue;
      const build = this.state.builds[tagging.nvr];
      if (build === undefined || build.state !== 1 || (build.package_name !== name && name !== undefined))
        continue;
      latest.set(build.package_name, tagging);
    }
    const builds = [...latest.values()].flatMap(({ nvr }) => this.state.builds[nvr] ?? []);
    const rpms = builds.flatMap((build) => this.state.rpms[build.nvr] ?? []);
    this.onListed?.();
    return [rpms.map(rpmRow), builds.map((build) => ({ ...build, draft: build.draft ?? false }))];
  }

  /** The newest tagging of each package that holds. */
  #listTagged(tag: string): XmlRpcValue {
    if (this.#tag(tag) === null) throw new ServedFault(1000, `No such entry in table tag: ${tag}`);
    const builds = this.#taggings
      .filter((one) => one.tag === tag && this.#isVisible(one.created) && !this.#isVisible(one.revoked))
      .flatMap(({ nvr }) => this.state.builds[nvr] ?? []);
    const latest = new Map(builds.map((build) => [build.package_name, build]));
    return [...latest.values()].map((build) => ({ ...build, draft: build.draft ?? false }));
  }

  #buildTask(id: number): XmlRpcValue {
    const tag = [...this.building.values()][id - 9000];
    return tag === undefined ? null : { id, state: 1, request: ['git+https://x', `${tag}-target`, {}] };
  }

  #lastChange(tag: string): XmlRpcValue {
    if (!this.tellsLastChange) throw new ServedFault(1000, 'Invalid method: tagLastChangeEvent');
    if (this.#tag(tag) === null) throw new ServedFault(1000, `No such entry in table tag: ${tag}`);
    const events = this.#taggings
      .filter((one) => one.tag === tag)
      .flatMap(({ created, revoked }) => [created, revoked])
      .filter((event) => this.#isVisible(event));
    return events.length === 0 ? null : Math.max(...events);
  }

  #build(wanted: XmlRpcValue | undefined): XmlRpcValue {
    if (typeof wanted === 'string' && wanted.split('-').length < 3)
      throw new ServedFault(1000, `Invalid NVR: ${wanted}`);
    const build = Object.values(this.state.builds).find(
      (one) => one.nvr === wanted || one.build_id === wanted,
    );
    return build === undefined ? null : { ...build, draft: build.draft ?? false };
  }

  #buildRpms(wanted: XmlRpcValue | undefined): XmlRpcValue {
    const build = Object.values(this.state.builds).find(
      (one) => one.nvr === wanted || one.build_id === wanted,
    );
    if (build === undefined) throw new ServedFault(1000, `No such build: ${String(wanted)}`);
    return (this.state.rpms[build.nvr] ?? []).map(rpmRow);
  }

  #result(task: string): XmlRpcValue {
    const result = this.state.results[task];
    if (result === undefined) throw new ServedFault(1000, `No such task: ${task}`);
    return { ...result, logs: [], brootid: 5 };
  }

  #hasChanged(event: number, tagIds: readonly number[]): boolean {
    const names = Object.keys(this.state.tags);
    return this.#taggings.some(
      ({ tag, created, revoked }) =>
        tagIds.includes(names.indexOf(tag) + 1) &&
        [created, revoked].some((one) => this.#isVisible(one) && one > event),
    );
  }

  #history(after: number): XmlRpcStruct[] {
    const names = Object.keys(this.state.tags);
    return this.#taggings.flatMap(({ tag, nvr, created, revoked }) => {
      const build = this.state.builds[nvr];
      if (build === undefined || !this.#isVisible(created)) return [];
      const seenRevoked = this.#isVisible(revoked) ? revoked : null;
      if (created <= after && (seenRevoked === null || seenRevoked <= after)) return [];
      return [
        {
          tag_id: names.indexOf(tag) + 1,
          'tag.name': tag,
          build_id: build.build_id,
          name: build.name,
          version: build.version,
          release: build.release,
          create_event: created,
          revoke_event: seenRevoked,
          create_ts: this.#events.get(created) ?? 0,
          revoke_ts: seenRevoked === null ? null : (this.#events.get(seenRevoked) ?? 0),
        },
      ];
    });
  }
}

function rpmRow(rpm: z.infer<typeof rpmSchema>): XmlRpcStruct {
  return { metadata_only: false, draft: false, ...rpm, payloadhash: rpm.payloadhash ?? null };
}

import { readFileSync } from 'node:fs';
import type { Ending } from '../../ending.ts';
import { KojiHub } from '../../../src/upstream/koji/hub.ts';
import type { XmlRpcValue } from '../../../src/upstream/koji/xml-rpc-value.ts';
import { sharedPath } from '../../shared.ts';
import { ServedFault, startHubServer, type HubServer, type ServedCall } from './hub-server.ts';

type Row = Readonly<Record<string, XmlRpcValue>>;

/** Recorded content of a hub with modules. */
export interface ModuleHubData {
  readonly event: { readonly id: number; readonly ts: number };
  readonly builds: readonly Row[];
  readonly archives?: Readonly<Record<string, readonly Row[]>>;
  readonly rpms?: readonly Row[];
  readonly tags: Readonly<
    Record<string, { readonly parents: readonly string[]; readonly builds: readonly number[] }>
  >;
  /** Builds that become visible in a tag, at the last event, each once its modules were listed; the first goes first. */
  readonly late?: { readonly tag: string; readonly builds: readonly (readonly number[])[] };
}

/** Reads `koji-fixture.json` or `koji-rules.json`. */
export function readModuleHubData(name: 'fixture' | 'rules'): ModuleHubData {
  return JSON.parse(
    readFileSync(sharedPath(`modules/oracle/datasets/koji-${name}.json`), 'utf8'),
  ) as ModuleHubData;
}

/** A hub over HTTP that answers from recorded data, stopped with the test. */
export async function startModuleHub(
  context: Ending,
  data: ModuleHubData,
): Promise<{ readonly hub: KojiHub; readonly server: HubServer }> {
  let listings = 0;
  const server = await startHubServer((call) => {
    const value = answer(withVisible(data, listings), call);
    if (call.method === 'listTagged' && call.args[0] === data.late?.tag) listings += 1;
    return { value };
  });
  const hub = new KojiHub({ url: server.url });
  context.after(async () => {
    hub.close();
    await server.close();
  });
  return { hub, server };
}

/** Returns what is visible of the data once the modules of a tag were listed so many times. */
function withVisible(data: ModuleHubData, listings: number): ModuleHubData {
  const { late, tags } = data;
  if (late === undefined) return data;
  const known = tagOf(data, late.tag);
  const visible = late.builds.slice(0, listings).flat();
  return {
    ...data,
    tags: { ...tags, [late.tag]: { ...known, builds: [...known.builds, ...visible] } },
    late: { ...late, builds: [visible] },
  };
}

function answer(data: ModuleHubData, { method, args, keywords }: ServedCall): XmlRpcValue {
  const [first] = args;
  switch (method) {
    case 'getLastEvent':
      return keywords['before'] === undefined
        ? { ...data.event }
        : { id: data.event.id - 1, ts: data.event.ts - 3_600 };
    case 'getTag':
      return data.tags[String(first)] === undefined
        ? null
        : { id: tagId(data, String(first)), name: String(first), arches: '', locked: false };
    case 'queryHistory':
      return historyOf(data);
    case 'tagChangedSinceEvent':
      return false;
    case 'getBuild':
      return data.builds.find((build) => build['id'] === first || build['nvr'] === first) ?? null;
    case 'search':
      return searched(data, String(first));
    case 'getFullInheritance':
      return tagOf(data, String(first)).parents.map((name) => ({ parent_id: tagId(data, name), name }));
    case 'listArchives':
      return [...(data.archives?.[String(first)] ?? [])];
    case 'queryRPMSigs':
      return [{ sigkey: '', sighash: '' }];
    case 'listBuildRPMs':
      return (data.rpms ?? []).filter((rpm) => rpm['build_id'] === first);
    case 'listTagged':
      return tagged(data, String(first), keywords);
    case 'listTaggedRPMS': {
      const builds = tagged(data, String(first), keywords);
      const ids = new Set(builds.map((build) => build['id']));
      return [(data.rpms ?? []).filter((rpm) => ids.has(rpm['build_id'] ?? null)), builds];
    }
    default:
      throw new ServedFault(1000, `Invalid method: ${method}`);
  }
}

function tagOf(data: ModuleHubData, name: string): ModuleHubData['tags'][string] {
  const tag = data.tags[name];
  if (tag === undefined) throw new ServedFault(1000, `No such tagInfo: '${name}'`);
  return tag;
}

function historyOf({ event, late, ...data }: ModuleHubData): XmlRpcValue {
  if (late === undefined) return {};
  const of = { tag_id: tagId({ event, ...data }, late.tag), create_event: event.id, revoke_event: null };
  return { tag_listing: late.builds.flat().map((id) => ({ ...of, build_id: id })) };
}

function tagId(data: ModuleHubData, name: string): number {
  return Object.keys(data.tags).indexOf(name) + 1;
}

function tagged(data: ModuleHubData, name: string, keywords: ServedCall['keywords']): Row[] {
  const parents = keywords['inherit'] === true ? tagOf(data, name).parents : [];
  return [name, ...parents].flatMap((tag) =>
    tagOf(data, tag)
      .builds.toReversed()
      .flatMap((id) => data.builds.filter((build) => build['id'] === id))
      .filter((build) => keywords['package'] === undefined || build['name'] === keywords['package'])
      .filter((build) => keywords['type'] !== 'module' || build['extra'] !== null)
      .map((build) => ({ ...build, tag_name: tag })),
  );
}

function searched(data: ModuleHubData, pattern: string): XmlRpcValue {
  const expression = pattern
    .replace(/[.+^${}()|\\]/g, '\\$&')
    .replaceAll('*', '.*')
    .replaceAll('?', '.');
  const glob = new RegExp(`^${expression}$`);
  return data.builds
    .filter((build) => glob.test(String(build['nvr'])))
    .map((build) => ({ id: build['id'] ?? null, name: build['nvr'] ?? null }));
}

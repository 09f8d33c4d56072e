import type { XmlRpcStruct, XmlRpcValue } from '../../../../src/upstream/koji/xml-rpc-value.ts';
import { ServedFault } from '../hub-server.ts';
import { FAULT_GENERIC, method, shown, type CallArguments, type HubMethod } from './call-arguments.ts';
import type { StoredBuild, StoredRpm } from './hub-rows.ts';
import { readTaggedBuilds, type TaggedBuild } from './tag-content.ts';
import { taggedBuildRow, taggedRpmRow } from './told-rows.ts';

const BUILD_TYPES = ['rpm', 'module', 'image', 'maven', 'win'];

/** The calls about what a tag holds. Source: Koji contract 4. */
export const contentMethods: Readonly<Record<string, HubMethod>> = {
  listTagged: method('tag! event inherit prefix latest package owner type strict extra draft', (call) => {
    const tagId = call.tag('tag');
    if (tagId === undefined) return [];
    const found = readTagged(call, tagId, call.flag('inherit', false), readLatest(call));
    return found.map((tagged) => builtRow(call, tagged));
  }),
  getLatestBuilds: method('tag! event package type draft', (call) => {
    const found = readTagged(call, call.tagEver('tag'), true, 1);
    return found.map((tagged) => builtRow(call, tagged));
  }),
  listTaggedRPMS: method(
    'tag! event inherit latest package arch rpmsigs owner type strict extra draft',
    (call) => {
      const tagId = call.tag('tag');
      return tagId === undefined ? [] : listRpms(call, tagId, call.flag('inherit', false), readLatest(call));
    },
  ),
  getLatestRPMS: method('tag! package arch event rpmsigs type draft', (call) =>
    listRpms(call, call.tagEver('tag'), true, 1),
  ),
};

function readLatest(call: CallArguments): number {
  const latest = call.value('latest');
  if (typeof latest === 'number' && latest > 0) return latest;
  return latest === true ? 1 : Infinity;
}

function readTagged(
  call: CallArguments,
  tagId: number,
  inherit: boolean,
  latest: number,
): readonly TaggedBuild[] {
  const type = call.text('type');
  if (type !== null && !BUILD_TYPES.includes(type)) {
    throw new ServedFault(FAULT_GENERIC, `unsupported build type: ${type}`);
  }
  const wanted = {
    package: call.text('package'),
    owner: call.text('owner'),
    prefix: call.text('prefix')?.toLowerCase() ?? '',
    draft: call.value('draft'),
  };
  const matches = (build: StoredBuild): boolean =>
    (wanted.package === null || build.packageName === wanted.package) &&
    (wanted.owner === null || build.owner === wanted.owner) &&
    build.packageName.toLowerCase().startsWith(wanted.prefix) &&
    (wanted.draft === null || build.isDraft === wanted.draft) &&
    (type === null || isOfType(build, type));
  return readTaggedBuilds(call.tables, { tagId, event: call.event(), inherit, latest, matches });
}

/** Whether a build has content of a type; without any note of it, it has RPMs. */
export function isOfType(build: StoredBuild, type: string): boolean {
  const typeinfo = build.extra?.['typeinfo'];
  if (typeof typeinfo !== 'object' || typeinfo === null) return type === 'rpm';
  return type in typeinfo;
}

function builtRow(call: CallArguments, tagged: TaggedBuild): XmlRpcStruct {
  const row = taggedBuildRow(call.tables, tagged);
  return call.flag('extra', false) ? { ...row, extra: tagged.build.extra } : row;
}

function listRpms(call: CallArguments, tagId: number, inherit: boolean, latest: number): XmlRpcValue {
  const { tables } = call;
  const arches = readArches(call);
  const found = readTagged(call, tagId, inherit, latest);
  const rpms = [...new Set(found.map(({ build }) => build.id))]
    .flatMap((buildId) => tables.rpmsOf(buildId))
    .filter(({ arch }) => arches === null || arches.includes(arch));
  const rows = rpms.flatMap((rpm) => {
    const { extra, ...bare } = taggedRpmRow(tables, rpm);
    const row = call.flag('extra', true) ? { ...bare, extra: extra ?? null } : bare;
    return call.flag('rpmsigs', false) ? withSigkeys(call, rpm, row) : [row];
  });
  return [rows, found.map((tagged) => taggedBuildRow(tables, tagged))];
}

function readArches(call: CallArguments): readonly string[] | null {
  const arch = call.value('arch');
  if (arch === null) return null;
  if (typeof arch === 'string') return [arch];
  if (typeof arch === 'number') {
    throw new ServedFault(FAULT_GENERIC, `Invalid type for arch option: ${shown(arch)}`);
  }
  return call.list('arch').map(String);
}

function withSigkeys(call: CallArguments, rpm: StoredRpm, row: XmlRpcStruct): readonly XmlRpcStruct[] {
  const keys = [...(call.tables.signatures.get(rpm.id)?.keys() ?? [])];
  return keys.length === 0 ? [{ ...row, sigkey: null }] : keys.map((sigkey) => ({ ...row, sigkey }));
}

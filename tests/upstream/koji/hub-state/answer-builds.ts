import type { XmlRpcStruct, XmlRpcValue } from '../../../../src/upstream/koji/xml-rpc-value.ts';
import { ServedFault } from '../hub-server.ts';
import { isOfType } from './answer-contents.ts';
import {
  FAULT_GENERIC,
  method,
  shown,
  withQueryOptions,
  type CallArguments,
  type HubMethod,
} from './call-arguments.ts';
import { globPattern } from './glob-pattern.ts';
import { nvrOf, type StoredBuild, type StoredRpm } from './hub-rows.ts';
import { buildRow, listedBuildRow, listedRpmRow, rpmRow } from './told-rows.ts';

/** The calls about builds, RPMs and signatures. Source: Koji contract 4.2, 4.3. */
export const buildMethods: Readonly<Record<string, HubMethod>> = {
  getBuild: method('buildInfo! strict', (call) => {
    const build = call.flag('strict', false) ? call.build('buildInfo') : call.findBuild('buildInfo');
    return build === undefined ? null : buildRow(call.tables, build);
  }),
  findBuildID: method('X! strict', (call) => call.findBuild('X')?.id ?? null),
  getBuildType: method('buildInfo! strict', (call) => {
    const typeinfo = call.findBuild('buildInfo')?.extra?.['typeinfo'];
    return typeof typeinfo === 'object' && typeinfo !== null ? typeinfo : { rpm: null };
  }),
  listBuilds: method(
    'packageID userID taskID prefix state volumeID source createdBefore createdAfter completeBefore completeAfter ' +
      'type typeInfo queryOpts pattern cgID draft',
    listBuilds,
  ),
  listBuildRPMs: method('build!', (call) =>
    call.tables.rpmsOf(call.build('build').id).map((rpm) => listedRpmRow(call.tables, rpm)),
  ),
  listRPMs: method(
    'buildID buildrootID imageID componentBuildrootID hostID arches queryOpts draft',
    (call) => {
      const arches = call.list('arches').map(String);
      const rpms = call.value('buildID') === null ? [] : call.tables.rpmsOf(call.build('buildID').id);
      const rows = rpms
        .filter(({ arch }) => arches.length === 0 || arches.includes(arch))
        .map((rpm) => listedRpmRow(call.tables, rpm));
      return withQueryOptions(rows, call.struct('queryOpts'));
    },
  ),
  getRPM: method('rpminfo! strict multi', (call) => {
    const rpm = findRpm(call, 'rpminfo');
    if (rpm !== undefined) return rpmRow(call.tables, rpm);
    if (!call.flag('strict', false)) return null;
    throw new ServedFault(FAULT_GENERIC, `No such rpm: ${shown(call.value('rpminfo'))}`);
  }),
  queryRPMSigs: method('rpm_id sigkey queryOpts', querySignatures),
  listArchives: method('buildID buildrootID componentBuildrootID hostID type', (call) => {
    const type = call.text('type');
    const build = call.findBuild('buildID');
    return (build?.archives ?? []).filter((archive) => type === null || archive['btype'] === type);
  }),
  getPackage: method('info! strict create', (call) => {
    const wanted = call.nameOrId('info');
    const { packageNames } = call.tables;
    const id = typeof wanted === 'number' ? wanted : packageNames.find(wanted);
    return id === undefined ? null : { id, name: packageNames.nameOf(id) ?? '' };
  }),
  getPackageID: method(
    'name! strict',
    (call) => call.tables.packageNames.find(call.text('name') ?? '') ?? null,
  ),
  getUser: method('userInfo strict krb_princs groups', (call) => {
    const name = call.text('userInfo') ?? '';
    const id = call.tables.userNames.find(name);
    return id === undefined ? null : { id, name, status: 0, usertype: 0, krb_principals: [] };
  }),
  listVolumes: method('', (call) => call.tables.volumes.map((name, id) => ({ id, name }))),
  search: method('terms! type! matchType! queryOpts', search),
};

function listBuilds(call: CallArguments): XmlRpcValue {
  const { tables } = call;
  const packageId = call.value('packageID');
  const owner = call.value('userID');
  const state = call.number('state');
  const task = call.number('taskID');
  const type = call.text('type');
  const prefix = call.text('prefix')?.toLowerCase() ?? '';
  const pattern = call.text('pattern');
  const draft = call.value('draft');
  const since = timeOf(call, 'completeAfter') ?? -Infinity;
  const until = timeOf(call, 'completeBefore') ?? Infinity;
  const matches = (build: StoredBuild): boolean =>
    (state === null || build.state === state) &&
    (task === null || build.taskId === task) &&
    (type === null || isOfType(build, type)) &&
    (draft === null || build.isDraft === draft) &&
    (packageId === null ||
      packageId === build.packageName ||
      packageId === tables.packageNames.find(build.packageName)) &&
    (owner === null || owner === build.owner || owner === tables.userNames.find(build.owner)) &&
    build.packageName.toLowerCase().startsWith(prefix) &&
    (pattern === null || globPattern(pattern).test(nvrOf(build))) &&
    (since === -Infinity || (build.completedAt ?? -Infinity) > since) &&
    (until === Infinity || (build.completedAt ?? Infinity) < until);
  const rows = [...tables.builds.values()].filter(matches).map((build) => listedBuildRow(tables, build));
  return withQueryOptions(rows, call.struct('queryOpts'));
}

/** A time of a call, told in seconds or as text. */
function timeOf(call: CallArguments, name: string): number | null {
  const value = call.value(name);
  return typeof value === 'string' ? Date.parse(value) / 1000 : call.number(name);
}

function findRpm(call: CallArguments, name: string): StoredRpm | undefined {
  const wanted = call.value(name);
  if (typeof wanted === 'number') return call.tables.rpms.get(wanted);
  const nvra =
    typeof wanted === 'string'
      ? wanted.replace(/\.rpm$/, '')
      : ['name', 'version', 'release'].map((part) => String(call.struct(name)[part])).join('-') +
        `.${String(call.struct(name)['arch'])}`;
  return [...call.tables.rpms.values()].find(
    (rpm) => `${rpm.name}-${rpm.version}-${rpm.release}.${rpm.arch}` === nvra,
  );
}

function querySignatures(call: CallArguments): XmlRpcValue {
  const wanted = call.text('sigkey')?.toLowerCase() ?? null;
  const rpm = call.value('rpm_id') === null ? null : findRpm(call, 'rpm_id');
  if (rpm === undefined) return [];
  const rows: XmlRpcStruct[] = [];
  for (const [id, signatures] of call.tables.signatures) {
    if (rpm !== null && rpm.id !== id) continue;
    for (const [sigkey, sighash] of signatures) {
      if (wanted === null || wanted === sigkey) rows.push({ rpm_id: id, sigkey, sighash });
    }
  }
  return withQueryOptions(rows, call.struct('queryOpts'));
}

function search(call: CallArguments): XmlRpcValue {
  const { tables } = call;
  const terms = call.text('terms') ?? '';
  if (terms === '') throw new ServedFault(FAULT_GENERIC, 'empty search terms');
  const matches = matcherOf(terms, call.text('matchType'));
  const named = namedThings(call)
    .filter(([name]) => matches(name))
    .map(([name, id]) => ({ id, name }));
  const found = named.filter(
    ({ id }) => call.text('type') !== 'tag' || tables.findTag(id, null) !== undefined,
  );
  return withQueryOptions(found, call.struct('queryOpts'));
}

function matcherOf(terms: string, kind: string | null): (name: string) => boolean {
  if (kind !== 'glob' && kind !== 'regexp') return (name) => name === terms;
  const pattern = kind === 'glob' ? globPattern(terms) : new RegExp(terms, 'i');
  return (name) => pattern.test(name);
}

function namedThings(call: CallArguments): readonly (readonly [string, number])[] {
  const { tables } = call;
  const type = call.text('type');
  switch (type) {
    case 'build':
      return [...tables.builds.values()].map((build) => [nvrOf(build), build.id]);
    case 'rpm':
      return [...tables.rpms.values()].map((rpm) => [
        `${rpm.name}-${rpm.version}-${rpm.release}.${rpm.arch}.rpm`,
        rpm.id,
      ]);
    case 'package':
      return tables.packageNames.entries();
    case 'tag':
      return tables.tagNames.entries();
    case 'target':
      return tables.targetNames.entries();
    case 'user':
      return tables.userNames.entries();
    default:
      throw new ServedFault(FAULT_GENERIC, `No such search type: ${type}`);
  }
}

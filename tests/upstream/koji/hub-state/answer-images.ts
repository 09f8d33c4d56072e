import type { XmlRpcValue } from '../../../../src/upstream/koji/xml-rpc-value.ts';
import { ServedFault } from '../hub-server.ts';
import { method, type CallArguments, type HubMethod } from './call-arguments.ts';

/** The calls of who is logged in: images, as the plugins of hubs take them. Source: main compose contract 11. */
export const imageMethods: Readonly<Record<string, HubMethod>> = {
  getLoggedInUser: method('', (call) => ({
    id: call.tables.userNames.numberOf(call.user()),
    name: call.user(),
  })),
  logout: method('', (call) => {
    call.user();
    return null;
  }),
  kiwiBuild: method(
    'target! arches! desc_url! desc_path! optional_arches profile scratch priority make_prep repos release',
    (call) =>
      makeTask(call, 'kiwiBuild', [
        call.value('target'),
        call.list('arches').map(String).join(' '),
        call.value('desc_url'),
        call.value('desc_path'),
        {
          optional_arches: call.list('optional_arches').map(String).join(' '),
          profile: call.value('profile'),
          scratch: call.flag('scratch', false),
          release: call.value('release'),
          repos: call.list('repos'),
          make_prep: false,
        },
      ]),
  ),
  imageBuilderBuild: method('target! arches! types! name! version! opts priority', (call) =>
    makeTask(
      call,
      'imageBuilderBuild',
      ['target', 'arches', 'types', 'name', 'version', 'opts'].map((name) => call.value(name)),
    ),
  ),
  osbuildImage: method('name! version! distro! image_types! target! arches! opts priority', (call) =>
    makeTask(
      call,
      'osbuildImage',
      ['name', 'version', 'distro', 'image_types', 'target', 'arches', 'opts'].map((name) =>
        call.value(name),
      ),
    ),
  ),
  buildContainer: method('src! target! opts priority channel', (call) =>
    makeTask(
      call,
      'buildContainer',
      ['src', 'target', 'opts'].map((name) => call.value(name)),
    ),
  ),
  cancelTask: method('task_id! recurse', (call) => {
    const owner = call.user();
    const task = call.tables.tasks.get(Number(call.value('task_id')));
    if (task?.owner !== owner) throw new ServedFault(1004, 'permission denied');
    if (task.state === 0) call.tables.tasks.set(task.id, { ...task, state: 3 });
    return null;
  }),
};

function makeTask(call: CallArguments, name: string, request: readonly XmlRpcValue[]): number {
  const { tables } = call;
  const owner = call.user();
  tables.userNames.numberOf(owner);
  const id = tables.takeId('task');
  const task = { id, parent: null, method: name, arch: 'noarch', owner, request, createdAt: 1_795_340_000 };
  tables.tasks.set(id, { ...task, state: 0, result: null });
  return id;
}

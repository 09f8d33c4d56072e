import type { XmlRpcStruct, XmlRpcValue } from '../../../../src/upstream/koji/xml-rpc-value.ts';
import { ServedFault } from '../hub-server.ts';
import {
  FAULT_GENERIC,
  method,
  withQueryOptions,
  type CallArguments,
  type HubMethod,
} from './call-arguments.ts';
import type { StoredTask } from './hub-rows.ts';
import { taskRow } from './told-rows.ts';

/** The calls about tasks. Source: Koji contract 4.4. */
export const taskMethods: Readonly<Record<string, HubMethod>> = {
  getTaskInfo: method('task_id! request strict', (call) => {
    const wanted = call.value('task_id');
    if (typeof wanted === 'number') return infoOf(call, wanted);
    return call.list('task_id').map((id) => infoOf(call, Number(id)));
  }),
  getTaskChildren: method('task_id! request strict', (call) =>
    childrenOf(call, Number(call.value('task_id'))).map((task) => {
      const row = taskRow(call.tables, task);
      return call.flag('request', false) ? { ...row, request: task.request } : row;
    }),
  ),
  getTaskResult: method('taskId! raise_fault', (call) => {
    const task = call.tables.tasks.get(Number(call.value('taskId')));
    if (task === undefined) throw new ServedFault(FAULT_GENERIC, `No such task: ${call.text('taskId')}`);
    if (task.state !== 5) return task.result;
    if (call.flag('raise_fault', true)) throw new ServedFault(FAULT_GENERIC, String(task.result));
    return { faultCode: FAULT_GENERIC, faultString: String(task.result) };
  }),
  listTasks: method('opts queryOpts', (call) => {
    const { method: wanted, state, parent, owner } = call.struct('opts');
    const states = Array.isArray(state) ? state.map(Number) : null;
    const rows = [...call.tables.tasks.values()]
      .filter((task) => wanted === undefined || task.method === wanted)
      .filter((task) => states === null || states.includes(task.state))
      .filter((task) => parent === undefined || task.parent === parent)
      .filter((task) => owner === undefined || call.tables.userNames.find(task.owner) === owner)
      .map((task) => withOwner(call, task));
    return withQueryOptions(rows, call.struct('queryOpts'));
  }),
};

function infoOf(call: CallArguments, id: number): XmlRpcValue {
  const task = call.tables.tasks.get(id);
  if (task === undefined) {
    if (call.flag('strict', false)) throw new ServedFault(FAULT_GENERIC, 'query returned no rows');
    return null;
  }
  const row = taskRow(call.tables, task);
  return call.flag('request', false) ? { ...row, request: task.request } : row;
}

function childrenOf(call: CallArguments, parent: number): readonly StoredTask[] {
  return [...call.tables.tasks.values()].filter((task) => task.parent === parent);
}

function withOwner(call: CallArguments, task: StoredTask): XmlRpcStruct {
  const row = { ...taskRow(call.tables, task), owner_name: task.owner, owner_type: 0 };
  return call.struct('opts')['decode'] === true
    ? { ...row, request: task.request, result: [task.result] }
    : row;
}

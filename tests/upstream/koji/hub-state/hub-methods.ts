import type { XmlRpcValue } from '../../../../src/upstream/koji/xml-rpc-value.ts';
import { ServedFault, type ServedCall } from '../hub-server.ts';
import { buildMethods } from './answer-builds.ts';
import { contentMethods } from './answer-contents.ts';
import { eventMethods } from './answer-events.ts';
import { historyMethods } from './answer-history.ts';
import { imageMethods } from './answer-images.ts';
import { tagMethods } from './answer-tags.ts';
import { taskMethods } from './answer-tasks.ts';
import { CallArguments, FAULT_GENERIC, method, type HubMethod } from './call-arguments.ts';
import type { HubTables } from './hub-tables.ts';

const methods: ReadonlyMap<string, HubMethod> = new Map(
  Object.entries({
    ...eventMethods,
    ...tagMethods,
    ...contentMethods,
    ...buildMethods,
    ...historyMethods,
    ...taskMethods,
    ...imageMethods,
    getAPIVersion: method('', () => 1),
    getKojiVersion: method('', () => '1.35.3'),
  }),
);

/** Returns what the tables say to a call. Throws the fault that a hub answers. */
export function answerCall(tables: HubTables, call: ServedCall): XmlRpcValue {
  const known = methods.get(call.method);
  if (known === undefined) throw new ServedFault(FAULT_GENERIC, `Invalid method: ${call.method}`);
  return known.answer(new CallArguments(tables, known.parameters, call));
}

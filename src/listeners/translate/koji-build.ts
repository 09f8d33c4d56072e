import type { KojiBuildEvent } from '../../model/event.ts';
import {
  flagOf,
  integerOf,
  isRecord,
  listOf,
  present,
  recordOf,
  required,
  textOf,
  valueOf,
} from './fields.ts';
import { buildNameOf } from './koji-build-name.ts';
import type { MessageContent } from './translation.ts';

/** Koji's build states by number. */
const states = ['building', 'complete', 'deleted', 'failed', 'canceled'] as const;

function stateOf(
  fields: Readonly<Record<string, unknown>>,
  name: string,
): KojiBuildEvent['state'] | undefined {
  const number = integerOf(fields, name);
  const word = textOf(fields, name)?.toLowerCase();
  return number === undefined ? states.find((state) => state === word) : states[number];
}

/**
 * `buildsys.build.state.change` (flat) and `brew.build.<state>` (in `info`). The state is `new`; on UMB
 * `info.state` is the one before. Throws UnusableMessage without build or state, and where the attribute that
 * changed is not the state.
 */
export function translateKojiBuild({ topic, body }: MessageContent): KojiBuildEvent {
  const build = isRecord(valueOf(body, 'info')) ? recordOf(body, 'info') : body;
  const attribute = textOf(body, 'attribute');
  if (attribute !== undefined && attribute !== 'state') required(undefined, 'a change of the state');
  const tail = topic.slice(topic.lastIndexOf('.') + 1);
  const request = listOf(build, 'request');
  const isBuildTask = typeof request[0] === 'string' && /:\/\/|\.src\.rpm$|^cli-build\//.test(request[0]);
  const options = isRecord(request[2]) ? request[2] : {};
  const btypes = valueOf(body, 'btypes');
  return present<KojiBuildEvent>({
    kind: 'koji.build',
    ...buildNameOf(build),
    build_id: integerOf(build, 'build_id', 'id'),
    state: required(stateOf(body, 'new') ?? states.find((state) => state === tail), 'the new state'),
    old_state: stateOf(body, 'old'),
    target:
      isBuildTask && typeof request[1] === 'string' ? textOf({ target: request[1] }, 'target') : undefined,
    scratch: isBuildTask ? flagOf(options, 'scratch') : undefined,
    task_id: integerOf(build, 'task_id'),
    owner: textOf(build, 'owner_name', 'owner'),
    btypes: isRecord(btypes) ? Object.keys(btypes) : undefined,
  });
}

import type { KojiTaskEvent } from '../../model/event.ts';
import { flagOf, integerOf, isRecord, listOf, present, recordOf, required, textOf } from './fields.ts';
import type { MessageContent } from './translation.ts';

/** `buildsys.task.state.change` and `brew.task.<state>`. Throws UnusableMessage without task or state. */
export function translateKojiTask({ body }: MessageContent): KojiTaskEvent {
  const info = recordOf(body, 'info');
  const options = listOf(info, 'request')[2];
  return present<KojiTaskEvent>({
    kind: 'koji.task',
    task_id: required(integerOf(body, 'id') ?? integerOf(info, 'id'), 'which task'),
    method: required(textOf(body, 'method') ?? textOf(info, 'method'), 'the method'),
    state: required(textOf(body, 'new'), 'the new state'),
    old_state: textOf(body, 'old'),
    parent: integerOf(info, 'parent'),
    scratch: isRecord(options) ? flagOf(options, 'scratch') : undefined,
    owner: textOf(body, 'owner') ?? textOf(info, 'owner_name'),
  });
}

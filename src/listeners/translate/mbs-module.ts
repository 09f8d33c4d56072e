import type { MbsModuleEvent } from '../../model/event.ts';
import { flagOf, integerOf, present, required, textOf } from './fields.ts';
import type { MessageContent } from './translation.ts';

/** Module Build Service's states by number. Source: messages contract 3. */
const states = ['init', 'wait', 'build', 'done', 'failed', 'ready', 'garbage'] as const;

/** `mbs.module.state.change`, alike on both buses. Throws UnusableMessage without id or state. */
export function translateMbsModule({ body }: MessageContent): MbsModuleEvent {
  const number = integerOf(body, 'state');
  const name = textOf(body, 'name');
  const stream = textOf(body, 'stream');
  const version = textOf(body, 'version') ?? integerOf(body, 'version')?.toString();
  const context = textOf(body, 'context');
  const parts = [name, stream, version];
  return present<MbsModuleEvent>({
    kind: 'mbs.module',
    id: required(integerOf(body, 'id'), 'which module build'),
    name,
    stream,
    version,
    context,
    nsvc: parts.includes(undefined)
      ? undefined
      : [...parts, ...(context === undefined ? [] : [context])].join(':'),
    state: required(textOf(body, 'state_name') ?? states[number ?? -1], 'the state'),
    scratch: flagOf(body, 'scratch'),
    koji_tag: textOf(body, 'koji_tag'),
    owner: textOf(body, 'owner'),
  });
}

import { sourceTypes } from '../../source-types.ts';
import type { ComposeStateEvent } from '../../model/event.ts';
import { flagOf, integerOf, present, recordOf, required, textOf, textsOf } from './fields.ts';
import type { MessageContent } from './translation.ts';

/** `odcs.compose.state-changed` and `odcs.state.change`: `{event, compose}`; further members are our own. */
export function translateOdcsCompose({ body }: MessageContent): ComposeStateEvent {
  const compose = recordOf(body, 'compose');
  const number = integerOf(compose, 'source_type');
  const sourceType = Object.entries(sourceTypes).find(([, value]) => value === number)?.[0];
  const idInUrl = /\/odcs-(\d+)\/?$/.exec(textOf(compose, 'toplevel_url') ?? '')?.[1];
  const chain = textsOf(compose, 'chain');
  return present<ComposeStateEvent>({
    kind: 'compose.state',
    system: 'odcs',
    id: required(integerOf(compose, 'id')?.toString() ?? idInUrl, 'which compose'),
    state: required(textOf(compose, 'state_name'), 'the state'),
    outcome: textOf(compose, 'outcome'),
    series: textOf(compose, 'series'),
    source: textOf(compose, 'source'),
    source_type: sourceType,
    fingerprint: textOf(compose, 'fingerprint'),
    chain: chain.length === 0 ? undefined : chain,
  });
}

/** `pungi.compose.status.change`, on UMB `pungi.status-change`. */
export function translatePungiCompose({ body }: MessageContent): ComposeStateEvent {
  return present<ComposeStateEvent>({
    kind: 'compose.state',
    system: 'pungi',
    id: required(textOf(body, 'compose_id'), 'which compose'),
    state: required(textOf(body, 'status'), 'the status'),
    release: textOf(body, 'release_short'),
  });
}

/** `bodhi.compose.complete`: the repository of updates is written, or failed. */
export function translateBodhiCompose({ body }: MessageContent): ComposeStateEvent {
  return present<ComposeStateEvent>({
    kind: 'compose.state',
    system: 'bodhi',
    id: required(textOf(body, 'repo'), 'which repository'),
    state: required(flagOf(body, 'success'), 'whether it succeeded') ? 'done' : 'failed',
  });
}

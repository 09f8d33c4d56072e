import type { RepoChangedEvent } from '../../model/event.ts';
import { present, required, textOf, textsOf, valueOf } from './fields.ts';
import type { MessageContent } from './translation.ts';

/** `repo.changed`, the message people and scripts send to the webhook: `{repo, revision?, packages?, user?}`. */
export function translateRepoChanged({ body }: MessageContent): RepoChangedEvent {
  return present<RepoChangedEvent>({
    kind: 'repo.changed',
    repo: required(textOf(body, 'repo'), 'which repository'),
    revision: textOf(body, 'revision'),
    packages: Array.isArray(valueOf(body, 'packages')) ? textsOf(body, 'packages') : undefined,
    user: textOf(body, 'user'),
  });
}

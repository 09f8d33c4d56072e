import type { KojiRepoEvent } from '../../model/event.ts';
import { integerOf, present, recordOf, required, textOf } from './fields.ts';
import type { MessageContent } from './translation.ts';

/** `buildsys.repo.init|done` (flat) and `brew.repo.init|done` (tag or repo as objects). */
export function translateKojiRepo({ topic, body }: MessageContent): KojiRepoEvent {
  const repo = recordOf(body, 'repo');
  const tagFields = recordOf(body, 'tag');
  return present<KojiRepoEvent>({
    kind: 'koji.repo',
    action: topic.endsWith('.done') ? 'done' : 'init',
    tag: required(textOf(body, 'tag') ?? textOf(tagFields, 'name') ?? textOf(repo, 'tag_name'), 'which tag'),
    tag_id: integerOf(body, 'tag_id') ?? integerOf(tagFields, 'id') ?? integerOf(repo, 'tag_id'),
    repo_id: required(integerOf(body, 'repo_id') ?? integerOf(repo, 'id'), 'which repository'),
  });
}

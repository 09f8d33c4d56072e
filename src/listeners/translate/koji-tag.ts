import type { KojiTagEvent } from '../../model/event.ts';
import { flagOf, integerOf, isRecord, present, recordOf, required, textOf, valueOf } from './fields.ts';
import { buildNameOf } from './koji-build-name.ts';
import type { MessageContent } from './translation.ts';

/** Side tags say so in their name only: `f44-build-side-12345`. Source: messages contract 3. */
function isSideTag(tag: string): boolean {
  return /-side-\d+(-|$)/.test(tag);
}

/**
 * `buildsys.tag`, `buildsys.untag` (flat) and `brew.build.tag`, `brew.build.untag` (tag, build and user as
 * objects). Throws UnusableMessage without tag or build.
 */
export function translateKojiTag({ topic, body }: MessageContent): KojiTagEvent {
  const kind = topic.endsWith('untag') ? 'koji.untag' : 'koji.tag';
  const isFlat = !isRecord(valueOf(body, 'tag'));
  const tagFields = recordOf(body, 'tag');
  const extra = recordOf(tagFields, 'extra');
  const build = isFlat ? body : recordOf(body, 'build');
  const tag = required(isFlat ? textOf(body, 'tag') : textOf(tagFields, 'name'), 'which tag');
  return present<KojiTagEvent>({
    kind,
    tag,
    tag_id: isFlat ? integerOf(body, 'tag_id') : integerOf(tagFields, 'id'),
    ...buildNameOf(build),
    build_id: isFlat ? integerOf(body, 'build_id') : integerOf(build, 'build_id', 'id'),
    user: isFlat ? textOf(body, 'user') : textOf(recordOf(body, 'user'), 'name'),
    owner: isFlat ? textOf(body, 'owner') : textOf(build, 'owner_name'),
    side_tag: flagOf(extra, 'sidetag') ?? isSideTag(tag),
    koji_event: isFlat ? integerOf(body, 'koji_event') : undefined,
    side_tag_owner: textOf(extra, 'sidetag_user'),
  });
}

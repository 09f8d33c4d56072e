import type { KojiPackageListEvent } from '../../model/event.ts';
import { present, recordOf, required, textOf } from './fields.ts';
import type { MessageContent } from './translation.ts';

/** `buildsys.package.list.change` (flat) and `brew.package.<action>` (tag and package as objects). */
export function translateKojiPackageList({ topic, body }: MessageContent): KojiPackageListEvent {
  const tail = /package\.(\w+)$/.exec(topic)?.[1];
  return present<KojiPackageListEvent>({
    kind: 'koji.package_list',
    tag: required(textOf(body, 'tag') ?? textOf(recordOf(body, 'tag'), 'name'), 'which tag'),
    package: required(textOf(body, 'package') ?? textOf(recordOf(body, 'package'), 'name'), 'which package'),
    action: textOf(body, 'action') ?? tail,
    owner: textOf(body, 'owner'),
  });
}

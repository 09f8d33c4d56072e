import type { BodhiOverrideEvent } from '../../model/event.ts';
import { present, recordOf, required, textOf } from './fields.ts';
import { packageOfNvr } from './koji-build-name.ts';
import type { MessageContent } from './translation.ts';

/** `bodhi.buildroot_override.tag|untag`; build and submitter are texts or objects. */
export function translateBodhiOverride({ topic, body }: MessageContent): BodhiOverrideEvent {
  const override = recordOf(body, 'override');
  const nvr = required(
    textOf(override, 'nvr', 'build') ?? textOf(recordOf(override, 'build'), 'nvr'),
    'which build',
  );
  return present<BodhiOverrideEvent>({
    kind: 'bodhi.override',
    action: topic.endsWith('.untag') ? 'untag' : 'tag',
    nvr,
    package: packageOfNvr(nvr),
    user: textOf(override, 'submitter') ?? textOf(recordOf(override, 'submitter'), 'name'),
  });
}

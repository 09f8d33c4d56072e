import type { KojiSignEvent } from '../../model/event.ts';
import { integerOf, isRecord, present, recordOf, required, textOf, valueOf } from './fields.ts';
import { findBuildName } from './koji-build-name.ts';
import type { MessageContent } from './translation.ts';

/**
 * `buildsys.rpm.sign` and `brew.sign.rpm`, one per RPM and key; the oldest form has the RPM in `info`. Throws
 * UnusableMessage without key or without any name of build or RPM.
 */
export function translateKojiSign({ body }: MessageContent): KojiSignEvent {
  const rpm = isRecord(valueOf(body, 'rpm')) ? recordOf(body, 'rpm') : recordOf(body, 'info');
  const build = recordOf(body, 'build');
  const name = findBuildName(rpm)?.nvr;
  const arch = textOf(rpm, 'arch');
  const event = present<KojiSignEvent>({
    kind: 'koji.sign',
    ...findBuildName(build),
    build_id: integerOf(build, 'build_id', 'id') ?? integerOf(rpm, 'build_id'),
    sigkey: required(textOf(body, 'sigkey') ?? textOf(rpm, 'sigkey'), 'which key'),
    rpm: name !== undefined && arch !== undefined ? `${name}.${arch}` : name,
  });
  required(event.nvr ?? event.build_id ?? event.rpm, 'which build or RPM');
  return event;
}

import type { BodhiUpdateEvent, EventBuild } from '../../model/event.ts';
import {
  cleanText,
  integerOf,
  isRecord,
  listOf,
  present,
  recordOf,
  required,
  textOf,
  valueOf,
} from './fields.ts';
import { packageOfNvr } from './koji-build-name.ts';
import type { MessageContent } from './translation.ts';

type Fields = Readonly<Record<string, unknown>>;

function phaseOf(topic: string): Pick<BodhiUpdateEvent, 'phase' | 'transition'> | undefined {
  const [, phase, transition] =
    /^bodhi\.update\.(request|complete|edit|eject|status)(?:\.([\w-]+))?/.exec(topic) ?? [];
  switch (phase) {
    case 'request':
    case 'complete':
      return transition === undefined ? undefined : { phase, transition };
    case 'edit':
    case 'eject':
      return { phase };
    case 'status':
      return { phase: 'ready', transition: 'testing' };
    default:
      return undefined;
  }
}

function buildOf(value: unknown): EventBuild | undefined {
  const nvr = isRecord(value) ? textOf(value, 'nvr') : cleanText(value);
  if (nvr === undefined) return undefined;
  const fields = isRecord(value) ? value : {};
  return present<EventBuild>({
    nvr,
    package: textOf(fields, 'component') ?? packageOfNvr(nvr),
    build_id: integerOf(fields, 'id'),
    owner: textOf(fields, 'issuer'),
  });
}

/** The builds; the oldest messages have none and join the NVRs in the title. */
function buildsOf(update: Fields, artifact: Fields): readonly EventBuild[] {
  for (const fields of [artifact, update]) {
    const builds = listOf(fields, 'builds').flatMap((build) => buildOf(build) ?? []);
    if (builds.length > 0) return builds;
  }
  const words = (textOf(update, 'title') ?? '').split(/[\s,]+/);
  return words.flatMap((word) => (/^[^\s]+-[^-]+-[^-]+$/.test(word) ? (buildOf(word) ?? []) : []));
}

function cvesOf(update: Fields): readonly string[] {
  const notes = valueOf(update, 'notes');
  const texts = [valueOf(update, 'title'), notes, ...listOf(update, 'bugs'), ...listOf(update, 'cves')].map(
    (value) => (isRecord(value) ? (valueOf(value, 'title') ?? valueOf(value, 'cve_id')) : value),
  );
  const found = texts.flatMap((text) =>
    typeof text === 'string' ? (text.match(/CVE-\d{4}-\d{4,7}/g) ?? []) : [],
  );
  return [...new Set(found)].sort();
}

function userOf(update: Fields, body: Fields): string | undefined {
  return (
    textOf(recordOf(update, 'user'), 'name') ??
    textOf(update, 'submitter') ??
    textOf(recordOf(update, 'submitter'), 'name') ??
    textOf(body, 'agent')
  );
}

/** Whether a topic tells a movement of an update that rules know. */
export function isUpdateTopic(topic: string): boolean {
  return phaseOf(topic) !== undefined;
}

/**
 * `bodhi.update.request.*`, `complete.*`, `edit`, `eject` and the ready-for-testing message. The alias is `alias`,
 * in older messages `updateid` or the title. Throws UnusableMessage without any of them.
 */
export function translateBodhiUpdate({ topic, body }: MessageContent): BodhiUpdateEvent {
  const movement = required(phaseOf(topic), 'what happened to the update');
  const update = recordOf(body, 'update');
  const artifact = recordOf(body, 'artifact');
  const release = isRecord(valueOf(update, 'release'))
    ? recordOf(update, 'release')
    : recordOf(body, 'release');
  const artifactId = textOf(artifact, 'id')?.replace(/-[0-9a-f]{40}$/, '');
  const cves = cvesOf(update);
  return present<BodhiUpdateEvent>({
    kind: 'bodhi.update',
    phase: movement.phase,
    alias: required(textOf(update, 'alias', 'updateid', 'title') ?? artifactId, 'which update'),
    transition: movement.transition ?? textOf(body, 'request') ?? textOf(update, 'request'),
    type: textOf(update, 'type'),
    severity: textOf(update, 'severity'),
    release: textOf(release, 'name'),
    dist_tag: textOf(release, 'dist_tag') ?? textOf(artifact, 'release'),
    status: textOf(update, 'status'),
    builds: buildsOf(update, artifact),
    cves: cves.length === 0 ? undefined : cves,
    user: userOf(update, body),
    from_side_tag: textOf(update, 'from_tag'),
  });
}

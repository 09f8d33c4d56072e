import type { ErrataEvent, EventBuild } from '../../model/event.ts';
import { cleanText, integerOf, present, required, textOf, textsOf, valueOf } from './fields.ts';
import { packageOfNvr } from './koji-build-name.ts';
import type { MessageContent } from './translation.ts';

const REDACTED = 'REDACTED';
const severities = ['Critical', 'Important', 'Moderate', 'Low'];
const actions = { added: 'add', removed: 'remove', changed: 'change' } as const;

/** What a field says: the body first, then the header; redacted and `null` say nothing. */
function fieldOf({ body, headers }: MessageContent, name: string): string | undefined {
  const value = textOf(body, name) ?? textOf(headers, name);
  return value === REDACTED || value === 'null' ? undefined : value;
}

function isEmbargoed({ body, headers }: MessageContent): boolean {
  return [...Object.values(body), ...Object.values(headers)].some(
    (value) => value === REDACTED || (Array.isArray(value) && value.includes(REDACTED)),
  );
}

/** NVRs of a member that is a list, or the JSON text of one. */
function nvrsOf(content: MessageContent, name: string): readonly string[] {
  const value = valueOf(content.body, name) ?? valueOf(content.headers, name);
  let list = value;
  if (typeof value === 'string' && value.length < 100_000) {
    try {
      list = JSON.parse(value);
    } catch {
      list = value.split(/[\s,]+/);
    }
  }
  return Array.isArray(list) ? list.flatMap((nvr) => cleanText(nvr) ?? []) : [];
}

function buildsOf(content: MessageContent, kind: ErrataEvent['kind']): readonly EventBuild[] | undefined {
  if (kind === 'errata.status') return undefined;
  const single = fieldOf(content, kind === 'errata.builds' ? 'brew_build' : 'to');
  const nvrs = single === undefined ? [] : [single];
  if (kind === 'errata.builds') nvrs.push(...nvrsOf(content, 'added'), ...nvrsOf(content, 'removed'));
  const found = nvrs.filter((nvr) => nvr !== REDACTED && /-[^-]+-[^-]+$/.test(nvr));
  return found.length === 0 ? undefined : found.map((nvr) => ({ nvr, package: packageOfNvr(nvr) }));
}

/** Security advisories begin with their severity: `Important: thunderbird security update`. */
function severityOf(type: string | undefined, synopsis: string | undefined): string | undefined {
  const word = synopsis?.split(':', 1)[0];
  return type === 'RHSA' ? severities.find((severity) => severity === word) : undefined;
}

/** Which of the three kinds a topic tells. */
export function errataKindOf(topic: string): ErrataEvent['kind'] | undefined {
  if (topic === 'errata.activity.status') return 'errata.status';
  if (topic === 'errata.activity.signing') return 'errata.signing';
  return /^errata\.builds\.(added|removed|changed)$/.test(topic) ? 'errata.builds' : undefined;
}

/**
 * `errata.activity.status`, `errata.builds.*`, `errata.activity.signing`: in the body or, where that is empty, in
 * headers. Throws UnusableMessage without the advisory's number. Source: messages contract 2.3 and 3.
 */
export function translateErrata(content: MessageContent): ErrataEvent {
  const { topic, body, headers } = content;
  const kind = required(errataKindOf(topic), 'what happened to the advisory');
  const tail = /\.(added|removed|changed)$/.exec(topic)?.[1];
  const type = [textOf(body, 'type'), textOf(headers, 'type')].find((word) => /^RH[SBE]A$/.test(word ?? ''));
  const synopsis = fieldOf(content, 'synopsis');
  const contentTypes = textsOf(body, 'content_types').filter((word) => word !== REDACTED);
  return present<ErrataEvent>({
    kind,
    id: required(integerOf(body, 'errata_id') ?? integerOf(headers, 'errata_id'), 'which advisory'),
    type: type ?? /^RH[SBE]A/.exec(fieldOf(content, 'fulladvisory') ?? '')?.[0],
    name: fieldOf(content, 'fulladvisory'),
    from: kind === 'errata.status' ? fieldOf(content, 'from') : undefined,
    to:
      kind === 'errata.status'
        ? (fieldOf(content, 'to') ?? fieldOf(content, 'errata_status'))
        : fieldOf(content, 'errata_status'),
    severity: severityOf(type, synopsis),
    product: fieldOf(content, 'product'),
    release: fieldOf(content, 'release'),
    content_types: contentTypes.length === 0 ? undefined : contentTypes,
    synopsis,
    embargoed: isEmbargoed(content),
    action: tail === 'added' || tail === 'removed' || tail === 'changed' ? actions[tail] : undefined,
    builds: buildsOf(content, kind),
  });
}

import { z } from 'zod';
import { ReactorError } from '../model/errors.ts';
import {
  bugReference,
  cveReference,
  cvesIn,
  MOST_NOTES,
  type AdvisorySource,
  type BuildAdvisory,
  type ListAdvisories,
} from './build-advisory.ts';
import { openJsonReader } from './http/read-json.ts';

const buildShape = z.object({
  all_errata: z.array(z.object({ id: z.int(), status: z.string().nullish() })).nullish(),
});
const text = z.string().nullish();
const kindShape = z.object({
  fulladvisory: z.string(),
  status: z.string(),
  synopsis: text,
  security_impact: text,
  issue_date: text,
  update_date: text,
});
const contentShape = z.object({ cve: text, description: text, solution: text, topic: text });
const bugShape = z.object({
  bug: z.object({ id: z.int(), short_desc: text, is_private: z.union([z.number(), z.boolean()]).nullish() }),
});
const advisoryShape = z.object({
  errata: z.record(z.string(), kindShape),
  content: z.object({ content: contentShape }).nullish(),
  bugs: z.object({ bugs: z.array(bugShape).nullish() }).nullish(),
});

/** Every build is one question; a few of them make a batch that is over soon. */
const BUILDS_PER_CALL = 10;
const MOST_CALLS = 500;
/** What is not shipped may be under embargo, or never come. */
const SHIPPED = 'SHIPPED_LIVE';

/** A client of the Errata Tool at `url` for what the advisories that were shipped say to people. */
export function connectErrataAdvisories(url: string): AdvisorySource {
  const { base, read } = openJsonReader(url, 'Errata Tool');
  const ask = async <Value>(path: string, schema: z.ZodType<Value>, signal: AbortSignal) => {
    const address = `${base}${path}`;
    const answer = await read(address, signal);
    if (answer === undefined) return undefined;
    const parsed = schema.safeParse(answer);
    if (parsed.success) return parsed.data;
    throw new ReactorError('upstream.strange_answer', 'Errata Tool answered something of an unknown form.', {
      where: address,
      fate: 'retry',
      cause: parsed.error,
    });
  };
  const begin = (): ListAdvisories => {
    const advisories = new Map<number, Promise<Omit<BuildAdvisory, 'nvrs'> | null>>();
    const advisoryOf = (id: number, signal: AbortSignal): Promise<Omit<BuildAdvisory, 'nvrs'> | null> => {
      const asked =
        advisories.get(id) ??
        ask(`/api/v1/erratum/${id}`, advisoryShape, signal).then((told) =>
          told === undefined ? null : toAdvisory(told, `${base}/advisory/${id}`),
        );
      advisories.set(id, asked);
      return asked;
    };
    return async (nvrs, signal) => {
      const found: BuildAdvisory[] = [];
      for (const nvr of nvrs) {
        const build = await ask(`/api/v1/build/${encodeURIComponent(nvr)}`, buildShape, signal);
        const shipped = (build?.all_errata ?? []).filter(({ status }) => (status ?? SHIPPED) === SHIPPED);
        for (const { id } of shipped) {
          const advisory = await advisoryOf(id, signal);
          if (advisory !== null) found.push({ ...advisory, nvrs: [nvr] });
        }
      }
      return found;
    };
  };
  return { name: 'Errata Tool', buildsPerCall: BUILDS_PER_CALL, mostCalls: MOST_CALLS, begin };
}

/** Returns what Red Hat's own updateinfo says of an advisory; null where it was not shipped. */
function toAdvisory(
  { errata, content, bugs }: z.infer<typeof advisoryShape>,
  page: string,
): Omit<BuildAdvisory, 'nvrs'> | null {
  const [found] = Object.entries(errata);
  if (found === undefined) return null;
  const [kind, said] = found;
  if (said.status !== SHIPPED) return null;
  const texts = content?.content ?? {};
  const open = (bugs?.bugs ?? [])
    .map(({ bug }) => bug)
    // What a bug is called that is not open to everybody is for its readers.
    .filter(({ is_private: isPrivate }) => !isPrivate)
    .sort((left, right) => left.id - right.id);
  const id = nameOfAdvisory(said.fulladvisory);
  const issued = timeOf(said.issue_date);
  const cut = (notes: string | null | undefined): string => (notes ?? '').slice(0, MOST_NOTES).trim();
  const cves = cvesIn([texts.cve ?? '', ...open.map((bug) => bug.short_desc ?? '')]);
  return {
    advisory: {
      id,
      from: '',
      status: 'final',
      type: typeOfAdvisory(kind),
      version: /-(\d+)$/.exec(said.fulladvisory)?.[1]?.replace(/^0+(?=\d)/, '') ?? '1',
      title: (said.synopsis ?? id).trim(),
      issued,
      updated: timeOf(said.update_date) || issued,
      severity: severityOf(said.security_impact),
      release: '',
      rights: '',
      summary: cut(texts.topic),
      description: cut(texts.description),
      solution: cut(texts.solution),
      references: [
        { href: page, id, title: id, type: 'self' },
        ...open.map((bug) => bugReference(bug.id, bug.short_desc ?? '')),
        ...cves.map(cveReference),
      ],
    },
    collection: { short: '', name: '' },
    suggests: [],
  };
}

/** Returns the name that stays: `RHSA-2026:1234` of `RHSA-2026:1234-08`. */
export function nameOfAdvisory(fullAdvisory: string): string {
  return fullAdvisory.replace(/^(RH[A-Z]+-\d{4}:\d+)-\d+$/, '$1');
}

/** Returns the word of updateinfo for a kind of advisory: `rhsa`, `RHBA`. */
export function typeOfAdvisory(kind: string): string {
  switch (kind.toUpperCase()) {
    case 'RHSA':
      return 'security';
    case 'RHBA':
      return 'bugfix';
    case 'RHEA':
      return 'enhancement';
    default:
      return '';
  }
}

function severityOf(impact: string | null | undefined): string {
  return ['Critical', 'Important', 'Moderate', 'Low'].find((word) => word === impact) ?? 'None';
}

/** Returns `2018-10-01 15:03:52` of `2018-10-01T15:03:52Z`. */
function timeOf(time: string | null | undefined): string {
  return (time ?? '').slice(0, 19).replace('T', ' ');
}

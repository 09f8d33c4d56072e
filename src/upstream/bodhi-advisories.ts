import { z } from 'zod';
import { ReactorError } from '../model/errors.ts';
import { isName } from '../model/names.ts';
import {
  bugReference,
  cveReference,
  cvesIn,
  MOST_NOTES,
  type AdvisorySource,
  type BuildAdvisory,
} from './build-advisory.ts';
import { openJsonReader } from './http/read-json.ts';

const updateShape = z.object({
  alias: z.string().refine((alias) => isName('updateAlias', alias)),
  title: z.string().nullish(),
  display_name: z.string().nullish(),
  notes: z.string().nullish(),
  status: z.string().nullish(),
  type: z.string().nullish(),
  severity: z.string().nullish(),
  suggest: z.string().nullish(),
  release: z.object({ name: z.string(), long_name: z.string().nullish() }).nullish(),
  builds: z.array(z.object({ nvr: z.string() })).default([]),
  bugs: z.array(z.object({ bug_id: z.int(), title: z.string().nullish() })).nullish(),
  user: z.object({ email: z.string().nullish() }).nullish(),
  date_submitted: z.string().nullish(),
  date_pushed: z.string().nullish(),
  date_modified: z.string().nullish(),
});
const pageShape = z.object({ updates: z.array(updateShape), pages: z.int() });

/** The builds of one question; more would make an address that servers refuse. */
const BUILDS_PER_CALL = 50;
/** A build is rarely in more than one update that was pushed. */
const MOST_PAGES = 4;
const MOST_CALLS = 100;

/** A client of the Bodhi at `url` for what its updates in testing or stable say to people. */
export function connectBodhiAdvisories(url: string): AdvisorySource {
  const { base, read } = openJsonReader(url, 'Bodhi');
  const listOfBuilds = async (nvrs: readonly string[], signal: AbortSignal): Promise<BuildAdvisory[]> => {
    const address = new URL(`${base}/updates/`);
    address.searchParams.set('builds', nvrs.join(','));
    for (const status of ['stable', 'testing']) address.searchParams.append('status', status);
    address.searchParams.set('rows_per_page', '100');
    const found: BuildAdvisory[] = [];
    for (let page = 1, pages = 1; page <= Math.min(pages, MOST_PAGES); page += 1) {
      address.searchParams.set('page', String(page));
      const parsed = pageShape.safeParse(await read(address.href, signal));
      if (!parsed.success) throw strangeAnswer(address.href, parsed.error);
      pages = parsed.data.pages;
      found.push(...parsed.data.updates.map((update) => toBuildAdvisory(update, base)));
    }
    return found;
  };
  return { name: 'Bodhi', buildsPerCall: BUILDS_PER_CALL, mostCalls: MOST_CALLS, begin: () => listOfBuilds };
}

function strangeAnswer(where: string, cause: Error): ReactorError {
  const sentence = 'Bodhi answered something that is not a list of updates.';
  return new ReactorError('upstream.strange_answer', sentence, { where, fate: 'retry', cause });
}

/** Says of an update what Bodhi's own updateinfo says of it, and the CVEs that it names. */
function toBuildAdvisory(update: z.infer<typeof updateShape>, base: string): BuildAdvisory {
  const { alias, release } = update;
  const nvrs = update.builds.map(({ nvr }) => nvr).sort();
  const title = update.display_name || update.title || nvrs.join(', ');
  const notes = (update.notes ?? '').slice(0, MOST_NOTES).trim();
  const issued = update.date_pushed ?? update.date_submitted ?? '';
  const bugs = [...(update.bugs ?? [])].sort((left, right) => left.bug_id - right.bug_id);
  const cves = cvesIn([title, notes, ...bugs.map((bug) => bug.title ?? '')]);
  return {
    nvrs,
    advisory: {
      id: alias,
      from: update.user?.email ?? '',
      status: update.status ?? '',
      type: update.type ?? '',
      version: '2.0',
      title: title.trim(),
      issued,
      updated: update.date_modified ?? issued,
      severity: severityOf(update.severity ?? ''),
      release: release?.long_name ?? release?.name ?? '',
      rights: '',
      summary: `${alias} ${update.type ?? ''} update`.replace('  ', ' '),
      description: notes,
      solution: '',
      references: [
        { href: `${base}/updates/${encodeURIComponent(alias)}`, id: alias, title: alias, type: 'self' },
        ...bugs.map((bug) => bugReference(bug.bug_id, bug.title ?? '')),
        ...cves.map(cveReference),
      ],
    },
    collection: { short: release?.name ?? '', name: release?.long_name ?? release?.name ?? '' },
    suggests: update.suggest === 'reboot' ? ['reboot'] : update.suggest === 'logout' ? ['relogin'] : [],
  };
}

/** Returns the word of updateinfo for a severity of Bodhi. */
export function severityOf(bodhi: string): string {
  switch (bodhi) {
    case 'urgent':
      return 'Critical';
    case 'high':
      return 'Important';
    case 'medium':
      return 'Moderate';
    case 'low':
      return 'Low';
    default:
      return 'None';
  }
}

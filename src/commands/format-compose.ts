import { z } from 'zod';
import { sourceTypes } from '../source-types.ts';
import type { ActionContext } from './command.ts';
import { formatFacts, formatTable } from './format-table.ts';
import { paintFor, paintState } from './paint.ts';

const composeSchema = z.object({
  id: z.number(),
  state_name: z.string(),
  state_reason: z.string().nullable(),
  source_type: z.number(),
  source: z.string(),
  packages: z.string().nullable(),
  arches: z.string(),
  flags: z.array(z.string()),
  sigkeys: z.string(),
  owner: z.string(),
  label: z.string().nullable(),
  koji_event: z.number().nullable(),
  pungi_compose_id: z.string().nullable(),
  time_submitted: z.string(),
  time_started: z.string().nullable(),
  time_done: z.string().nullable(),
  time_to_expire: z.string(),
  time_removed: z.string().nullable(),
  removed_by: z.string().nullable(),
  result_repofile: z.string(),
  toplevel_url: z.string(),
  new_advisories: z.object({ advisories: z.array(z.string()), cves: z.array(z.string()) }).optional(),
  changed_images: z.object({ images: z.array(z.string()) }).optional(),
});

/** Names of packages that fit on a screen. */
const SHOWN_NAMES = 12;

/** Returns a compose for people: its state, what it is of, its times and where it is. Null where it is none. */
export function formatCompose(context: ActionContext, value: unknown): string | null {
  const read = composeSchema.safeParse(value);
  if (!read.success) return null;
  const compose = read.data;
  const paint = paintFor(context);
  const type = Object.entries(sourceTypes).find(([, number]) => number === compose.source_type)?.[0];
  const isDone = compose.state_name === 'done';
  const seconds = secondsBetween(compose.time_started, compose.time_done);
  const facts: readonly (readonly [string, string | null])[] = [
    ['of', `${type ?? 'source'} ${compose.source}`.trimEnd()],
    ['packages', compose.packages === null ? null : shorten(compose.packages.split(' '))],
    ['arches', compose.arches],
    ['flags', compose.flags.join(' ')],
    ['sigkeys', compose.sigkeys.trim()],
    ['owner', compose.owner],
    ['label', compose.label],
    [
      type === 'repo' ? 'revision' : 'Koji event',
      compose.koji_event === null ? null : String(compose.koji_event),
    ],
    ['compose id', compose.pungi_compose_id],
    ['reason', isDone ? null : compose.state_reason],
    ['submitted', compose.time_submitted],
    ['done', seconds === null ? compose.time_done : `${compose.time_done ?? ''} (took ${seconds} s)`],
    ['removed', removalOf(compose)],
    ['expires', compose.time_removed === null ? compose.time_to_expire : null],
    ['advisories', shorten(compose.new_advisories?.advisories ?? [])],
    ['CVEs', shorten(compose.new_advisories?.cves ?? [])],
    ['images', shorten(compose.changed_images?.images ?? [])],
    ['repository', isDone ? compose.result_repofile : null],
    ['files', isDone ? compose.toplevel_url : null],
  ];
  const title = `${paint('head', `compose ${compose.id}`)}  ${paintState(paint, compose.state_name)}`;
  return `${title}\n${formatFacts(facts)}`;
}

function secondsBetween(from: string | null, to: string | null): number | null {
  return from === null || to === null ? null : Math.round((Date.parse(to) - Date.parse(from)) / 1000);
}

function removalOf({ time_removed: at, removed_by: by }: z.infer<typeof composeSchema>): string | null {
  return at === null ? null : `${at}${by === null ? '' : ` by ${by}`}`;
}

function shorten(names: readonly string[]): string {
  const more = names.length - SHOWN_NAMES;
  return more <= 0 ? names.join(' ') : `${names.slice(0, SHOWN_NAMES).join(' ')} and ${more} more`;
}

const changeSchema = z.object({
  arch: z.string(),
  kind: z.string(),
  name: z.string(),
  from: z.string(),
  to: z.string(),
});
const diffSchema = z.object({
  from: z.number(),
  to: z.number(),
  added: z.array(z.string()),
  removed: z.array(z.string()),
  upgraded: z.array(changeSchema),
  downgraded: z.array(changeSchema),
  replaced: z.array(z.string()),
  options: z.array(z.object({ name: z.string(), from: z.string(), to: z.string() })),
});

/** Returns what changed from one compose to another, for people. Null where it is no difference. */
export function formatDiff(context: ActionContext, value: unknown): string | null {
  const read = diffSchema.safeParse(value);
  if (!read.success) return null;
  const { from, to, added, removed, upgraded, downgraded, replaced, options } = read.data;
  const paint = paintFor(context);
  const changed = (word: string, changes: typeof upgraded): readonly string[][] =>
    changes.map((change) => [word, change.arch, change.kind, change.name, `${change.from} -> ${change.to}`]);
  const whole = (word: string, lines: readonly string[]): readonly string[][] =>
    lines.map((line) => {
      const [arch = '', kind = '', nevra = ''] = line.split(' ');
      return [word, arch, kind, nevra, ''];
    });
  const counts = Object.entries({ upgraded, downgraded, added, removed, replaced, option: options })
    .filter(([, list]) => list.length > 0)
    .map(([word, list]) => `${list.length} ${word}${word === 'option' && list.length > 1 ? 's' : ''}`);
  const rows = [
    ...changed(paint('good', 'upgraded'), upgraded),
    ...changed(paint('busy', 'downgraded'), downgraded),
    ...whole(paint('good', 'added'), added),
    ...whole(paint('bad', 'removed'), removed),
    ...whole(paint('busy', 'replaced'), replaced),
    ...options.map((option) => [
      paint('soft', 'option'),
      '',
      '',
      option.name,
      `${option.from || '-'} -> ${option.to || '-'}`,
    ]),
  ];
  const summary = counts.length === 0 ? 'nothing changed' : counts.join(', ');
  return `From compose ${from} to ${to}: ${summary}.\n${formatTable(['CHANGE', 'ARCH', 'KIND', 'PACKAGE', 'VERSION'], rows)}`;
}

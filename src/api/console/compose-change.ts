import { html } from 'hono/html';
import { findCompose } from '../../database/composes.ts';
import { findManifest } from '../../database/manifests.ts';
import type { Compose } from '../../model/compose-json.ts';
import { rest } from '../../in-turns.ts';
import { diffManifests, type ManifestDiff } from '../../model/manifest-diff.ts';
import type { Html, PageContext } from './page.ts';

const mostLines = 200;

/** How a compose differs from another one. */
interface ComposeChange {
  readonly previousId: number;
  /** Null where a manifest is not kept any more. */
  readonly diff: ManifestDiff | null;
  readonly isSame: boolean;
}

/** Reads what changed from another compose to this one; null where there is none or it is not known. */
export async function readChange(
  { database: { kysely } }: PageContext,
  compose: Compose,
  previousId: number | null,
): Promise<ComposeChange | null> {
  if (previousId === null || compose.fingerprint === null) return null;
  const previous = await findCompose(kysely, previousId);
  if (previous?.fingerprint === null || previous?.fingerprint === undefined) return null;
  const after = await findManifest(kysely, compose.fingerprint);
  const isSame = previous.fingerprint === compose.fingerprint;
  const before = isSame ? after : await findManifest(kysely, previous.fingerprint);
  const isKept = before !== undefined && after !== undefined;
  await rest();
  return { previousId, isSame, diff: isKept ? diffManifests(before, after) : null };
}

/** What changed from another compose, the one before in its series where no other is asked for, to this one. */
export function changeSection(
  context: PageContext,
  compose: Compose,
  {
    change,
    previousOfSeries,
  }: { readonly change: ComposeChange | null; readonly previousOfSeries: number | null },
): Html {
  if (change === null) {
    return compose.fingerprint === null || compose.state === 'removed' ? html`` : section(compareForm(''));
  }
  const { previousId, diff, isSame } = change;
  const link = html`<a href="${context.prefix}/console/composes/${previousId}">compose ${previousId}</a>`;
  if (isSame) {
    return section(
      html`<p>Nothing: it holds exactly what ${link} holds.</p>
        ${compareForm(previousId)}`,
    );
  }
  if (diff === null) {
    return section(html`<p>It differs from ${link}, whose manifest is not kept any more.</p>`);
  }
  return section(
    html`<p>
        Since
        ${link}${previousId === previousOfSeries ? `, the one before in series ${compose.series ?? ''}` : ''}:
      </p>
      ${changeLists(diff)} ${compareForm(previousId)}`,
  );
}

/** Asks with which other compose it is to be compared. */
function compareForm(since: number | ''): Html {
  return html`<form method="get" action="#changes">
    <label>
      Compare with compose
      <input name="since" inputmode="numeric" pattern="[0-9]+" value="${since}" size="8" maxlength="15" />
    </label>
    <button>Compare</button>
  </form>`;
}

function section(body: Html): Html {
  return html`<h2 id="changes">What changed</h2>
    ${body}`;
}

/** What is different, by kind of change. */
export function changeLists(diff: ManifestDiff): readonly Html[] {
  const bare = (evr: string): string => evr.replace(/^0:/, '');
  const moved = (changes: ManifestDiff['upgraded']): string[] =>
    changes.map(({ arch, kind, name, from, to }) => `${name} ${bare(from)} → ${bare(to)} (${arch} ${kind})`);
  const lists: readonly (readonly [string, readonly string[]])[] = [
    ['Upgraded', moved(diff.upgraded)],
    ['Downgraded', moved(diff.downgraded)],
    ['Added', diff.added],
    ['Removed', diff.removed],
    ['Same version, other content or signature', diff.replaced],
    [
      'Options',
      diff.options.map(({ name, from, to }) => `${name}: ${shorten(from) || '—'} → ${shorten(to) || '—'}`),
    ],
  ];
  return lists.flatMap(([title, lines]) => {
    if (lines.length === 0) return [];
    const rest = lines.length - mostLines;
    return html`<h3>${title} <span class="soft">${lines.length}</span></h3>
      <ul>
        ${lines.slice(0, mostLines).map((line) => html`<li>${line}</li>`)}
      </ul>
      ${rest > 0 ? html`<p class="soft">And ${rest} more.</p>` : ''}`;
  });
}

function shorten(text: string): string {
  return text.length > 120 ? `${text.slice(0, 117)}…` : text;
}

import { html } from 'hono/html';
import type { SeriesRow } from '../../database/series.ts';
import { formatBytes } from '../format-bytes.ts';
import { readSpaceOfSeries, type SpaceOfCompose } from '../space-of-series.ts';
import { moment, stackTable } from './elements.ts';
import type { Html, PageContext } from './page.ts';

/** What the composes of a series take on disk, which of them stay, and what goes with the others. */
export async function spaceSection(context: PageContext, row: SeriesRow): Promise<Html> {
  const { composes, onDisk, freed } = await readSpaceOfSeries(context, row);
  const going = composes.filter(({ kept }) => kept === null).length;
  return html`<h2 id="space">On disk</h2>
    <p>
      ${
        onDisk === null || freed === null
          ? html`This server does not see the files.`
          : html`Together they take ${formatBytes(onDisk)}. ${going} of ${composes.length} go when their time
            is over, which frees ${formatBytes(freed)}; what is linked to from elsewhere stays.`
      }
    </p>
    ${composes.length === 0 ? '' : spaceTable(context, composes)}`;
}

function spaceTable({ prefix, now }: PageContext, composes: readonly SpaceOfCompose[]): Html {
  const rows = composes.map(
    ({ id, reusedId, kept, expiresAt, size }) =>
      html`<tr>
        <td>
          <a href="${prefix}/console/composes/${id}">${id}</a>
          ${reusedId === null ? '' : html`<span class="small">shows ${reusedId}</span>`}
        </td>
        <td class="number" data-label="Size">${size === null ? '' : formatBytes(size.bytes)}</td>
        <td class="number" data-label="Its own">${size === null ? '' : formatBytes(size.own)}</td>
        <td class="number" data-label="Shared">${size === null ? '' : formatBytes(size.bytes - size.own)}</td>
        <td>${kept === null ? html`goes ${moment(expiresAt, now)}` : html`kept: ${kept.join(', ')}`}</td>
      </tr>`,
  );
  return stackTable(['Compose', 'Size', 'Its own', 'Shared', 'How long'], rows);
}

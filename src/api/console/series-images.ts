import { html } from 'hono/html';
import { listImages, type ImageRow } from '../../database/images.ts';
import { urlsOf } from '../../model/image-source.ts';
import { moment, stackTable } from './elements.ts';
import type { Html, PageContext } from './page.ts';

const MOST = 100;

/** The images that are built from a series, and which of them could not be read; empty where there are none. */
export async function seriesImages(context: PageContext, series: string): Promise<Html> {
  const images = await listImages(context.database.kysely, { series, after: '', limit: MOST + 1 });
  if (images.length === 0) return html``;
  return html`<h2 id="images">Images built from it</h2>
    ${stackTable(
      ['Image', 'Packages', 'Told or read', 'From'],
      images.slice(0, MOST).map((image) => imageRow(context, image)),
    )}
    ${
      images.length > MOST
        ? html`<p class="small">
            <a href="${context.prefix}/api/1/images/?series=${series}">All, as JSON</a>
          </p>`
        : ''
    }`;
}

function imageRow({ prefix, now }: PageContext, image: ImageRow): Html {
  const counts = Object.entries(image.packages).map(([arch, held]) => `${arch} ${Object.keys(held).length}`);
  return html`<tr>
    <td><a href="${prefix}/api/1/images/${image.name}">${image.name}</a></td>
    <td data-label="Packages">${counts.join(', ')}</td>
    <td data-label="Told or read">${moment(image.updated_at, now)}</td>
    <td data-label="From">${fromCell(image)}</td>
  </tr>`;
}

function fromCell({ source, asks, problem, owner }: ImageRow): Html {
  if (asks !== null) return html`what ${asks.join(', ')} ${asks.length === 1 ? 'needs' : 'need'}`;
  if (source === null) return html`${owner}`;
  return html`${urlsOf(source).map((url) => html`<div class="small">${url}</div>`)}
  ${problem === null ? '' : html`<div class="notice bad">${problem.message}</div>`}`;
}

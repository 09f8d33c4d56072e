import { html } from 'hono/html';
import type { Compose } from '../../model/compose-json.ts';
import type { Html, PageContext } from './page.ts';

/** The images that a compose changes, as they were when it was planned; empty where its series has none. */
export function imagesSection({ prefix }: Pick<PageContext, 'prefix'>, compose: Compose): Html {
  const { id, changedImages } = compose;
  if (changedImages === null) return html``;
  const { images, more } = changedImages;
  return html`<h2 id="images">
      Images that change <span class="soft">${images.length}${more ? '+' : ''}</span>
    </h2>
    ${
      images.length === 0
        ? html`<p>The images of the series hold all of it already.</p>`
        : html`<ul>
            ${images.map((name) => html`<li><a href="${prefix}/api/1/images/${name}">${name}</a></li>`)}
          </ul>`
    }
    <p class="small"><a href="${prefix}/api/1/composes/${id}/images">By which packages, as JSON</a></p>`;
}

import { html } from 'hono/html';
import type { Compose } from '../../model/compose-json.ts';
import { readComposeAdvisories } from '../compose-advisories.ts';
import type { Html, PageContext } from './page.ts';

const mostRows = 200;

/** The advisories of a compose, those first that the one before in its series did not have; empty where it has none. */
export async function advisoriesSection(
  context: PageContext,
  compose: Compose,
  previousId: number | null,
): Promise<Html> {
  const found = await readComposeAdvisories(context, compose, previousId);
  if (found === null || found.advisories.length === 0) return html``;
  const { advisories, since, news } = found;
  const fresh = new Set(news?.advisories ?? []);
  const sorted = [
    ...advisories.filter(({ id }) => fresh.has(id)),
    ...advisories.filter(({ id }) => !fresh.has(id)),
  ];
  const rest = sorted.length - mostRows;
  return html`<h2 id="advisories">Advisories <span class="soft">${advisories.length}</span></h2>
    ${
      since === null || news === null
        ? ''
        : html`<p>
            ${news.advisories.length} new since
            <a href="${context.prefix}/console/composes/${since}">compose ${since}</a>${
              news.cves.length === 0 ? '' : `, with ${news.cves.slice(0, mostRows).join(', ')}`
            }.
          </p>`
    }
    <ul>
      ${sorted.slice(0, mostRows).map(
        ({ id, type, severity, title, cves }) =>
          html`<li>
            <strong>${id}</strong>
            ${fresh.has(id) ? 'new, ' : ''}${[type, severity].filter(Boolean).join(' ')}: ${title}
            <span class="soft">${cves.join(', ')}</span>
          </li>`,
      )}
    </ul>
    ${rest > 0 ? html`<p class="soft">And ${rest} more.</p>` : ''}
    <p class="small">
      <a href="${context.prefix}/api/1/composes/${compose.id}/advisories">The same as JSON</a>
    </p>`;
}

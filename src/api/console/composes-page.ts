import { html, raw } from 'hono/html';
import { listComposes, type ComposeFilters } from '../../database/list-composes.ts';
import { composeStates, type ComposeState } from '../../model/compose.ts';
import type { RegisterRoute } from '../context.ts';
import { ApiProblem } from '../problem.ts';
import { composeTable } from './elements.ts';
import { registerPage, type Html, type Page, type PageContext } from './page.ts';

const perPage = 50;

function isState(word: string): word is ComposeState {
  return Object.hasOwn(composeStates, word);
}

/** GET /console/composes: all composes, newest first, by state, owner or series. */
export const registerComposesPage: RegisterRoute = (app, api) => {
  registerPage(
    app,
    api,
    { path: '/console/composes', keys: ['state', 'owner', 'series', 'page'] },
    async (context, request): Promise<Page> => {
      const word = (name: string): string => (request.req.query(name) ?? '').slice(0, 200);
      const state = word('state');
      if (state !== '' && !isState(state)) {
        throw new ApiProblem(400, 'request.invalid_query', `There is no state "${state}".`, {
          hint: `There are: ${Object.keys(composeStates).join(', ')}.`,
        });
      }
      const [owner, series] = [word('owner'), word('series')];
      const page = Math.max(1, Number(/^\d{1,6}$/.exec(word('page'))?.[0] ?? 1));
      const filters: ComposeFilters = {
        ...(isState(state) ? { state } : {}),
        ...(owner === '' ? {} : { owner }),
        ...(series === '' ? {} : { series }),
      };
      const { composes, total } = await listComposes(context.database.handle, {
        filters,
        orderBy: 'id',
        isDescending: true,
        limit: perPage,
        offset: (page - 1) * perPage,
      });
      const asked = { ...(isState(state) ? { state } : {}), owner, series };
      return {
        title: 'Composes',
        here: 'composes',
        body: html`<h1>Composes <span class="soft">${total}</span></h1>
          <nav aria-label="States">${stateLinks(context, { state, owner, series })}</nav>
          <form method="get">
            ${isState(state) ? html`<input type="hidden" name="state" value="${state}" />` : ''}
            <label>Owner <input name="owner" value="${owner}" maxlength="200" /></label>
            <label>Series <input name="series" value="${series}" maxlength="200" /></label>
            <button>Find</button>
          </form>
          ${
            composes.length === 0
              ? html`<p class="empty">
                  There is none. <a href="${context.prefix}/console/ask">Ask for one</a>, or with
                  <code>odcs-reactor compose create TYPE SOURCE --wait</code>
                </p>`
              : composeTable(context, composes)
          }
          <p>
            ${page > 1 ? link(context, asked, page - 1, 'Newer') : ''}
            ${page * perPage < total ? link(context, asked, page + 1, 'Older') : ''}
          </p>`,
      };
    },
  );
};

function link(context: PageContext, asked: Record<string, string>, page: number, label: string): Html {
  const query = new URLSearchParams({ ...asked, page: String(page) });
  return html`<a href="${context.prefix}/console/composes?${query.toString()}">${label}</a> `;
}

/** The states, each with the owner and series that are looked for. */
function stateLinks(
  context: PageContext,
  { state, owner, series }: Readonly<Record<'state' | 'owner' | 'series', string>>,
): readonly Html[] {
  return ['', ...Object.keys(composeStates)].map((one) => {
    const here = one === state ? raw('aria-current="page"') : '';
    const kept = Object.entries({ state: one, owner, series }).filter(([, value]) => value !== '');
    const query = new URLSearchParams(kept).toString();
    return html`<a href="${context.prefix}/console/composes${query === '' ? '' : `?${query}`}" ${here}
      >${one === '' ? 'all' : one}</a
    > `;
  });
}

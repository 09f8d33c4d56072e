import { html, raw } from 'hono/html';
import { listComposes, type ComposeFilters } from '../../database/list-composes.ts';
import { composeStates, type ComposeState } from '../../model/compose.ts';
import type { RegisterRoute } from '../context.ts';
import { ApiProblem } from '../problem.ts';
import { composeTable } from './elements.ts';
import { livePart } from './follow-changes.ts';
import { registerPage, type Html, type Page, type PageContext } from './page.ts';

const perPage = 50;

function isState(word: string): word is ComposeState {
  return Object.hasOwn(composeStates, word);
}

/** Returns the state that is looked for; null where none is. Throws `request.invalid_query` for a word that is none. */
function readState(word: string): ComposeState | null {
  if (word === '') return null;
  if (isState(word)) return word;
  throw new ApiProblem(400, 'request.invalid_query', `There is no state "${word}".`, {
    hint: `There are: ${Object.keys(composeStates).join(', ')}.`,
  });
}

/** GET /console/composes: all composes, newest first, by state, owner or series. */
export const registerComposesPage: RegisterRoute = (app, api) => {
  registerPage(
    app,
    api,
    { path: '/console/composes', keys: ['state', 'owner', 'series', 'page'] },
    async (context, request): Promise<Page> => {
      const word = (name: string): string => (request.req.query(name) ?? '').slice(0, 200);
      const state = readState(word('state'));
      const [owner, series] = [word('owner'), word('series')];
      const page = Math.max(1, Number(/^\d{1,6}$/.exec(word('page'))?.[0] ?? 1));
      const filters: ComposeFilters = {
        ...(state === null ? {} : { state }),
        ...(owner === '' ? {} : { owner }),
        ...(series === '' ? {} : { series }),
      };
      const { composes, total } = await listComposes(context.database.kysely, {
        filters,
        orderBy: 'id',
        isDescending: true,
        limit: perPage,
        offset: (page - 1) * perPage,
      });
      const asked = { state: state ?? '', owner, series };
      const live = (id: string, content: Html): Html =>
        livePart(context, { id, subjects: ['composes', 'progress'] }, content);
      return {
        title: 'Composes',
        here: 'composes',
        body: html`${live('count', html`<h1>Composes <span class="soft">${total}</span></h1>`)}
          <nav aria-label="States">${stateLinks(context, asked)}</nav>
          <form method="get">
            ${state === null ? '' : html`<input type="hidden" name="state" value="${state}" />`}
            <label>Owner <input name="owner" value="${owner}" maxlength="200" /></label>
            <label>Series <input name="series" value="${series}" maxlength="200" /></label>
            <button>Find</button>
          </form>
          ${live(
            'list',
            html`${
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
          )}`,
      };
    },
  );
};

function link(context: PageContext, asked: Record<string, string>, page: number, label: string): Html {
  const query = new URLSearchParams({ ...givenOf(asked), page: String(page) });
  return html`<a href="${context.prefix}/console/composes?${query.toString()}">${label}</a> `;
}

/** Leaves out what is not looked for. */
function givenOf(asked: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(asked).filter(([, value]) => value !== ''));
}

/** The states, each with the owner and series that are looked for. */
function stateLinks(
  context: PageContext,
  { state, owner, series }: Readonly<Record<'state' | 'owner' | 'series', string>>,
): readonly Html[] {
  return ['', ...Object.keys(composeStates)].map((shown) => {
    const here = shown === state ? raw('aria-current="page"') : '';
    const query = new URLSearchParams(givenOf({ state: shown, owner, series })).toString();
    return html`<a href="${context.prefix}/console/composes${query === '' ? '' : `?${query}`}" ${here}
      >${shown === '' ? 'all' : shown}</a
    > `;
  });
}

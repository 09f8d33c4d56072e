import { html } from 'hono/html';
import { findComposeRequest } from '../../database/compose-requests.ts';
import type { RegisterRoute } from '../context.ts';
import { ApiProblem } from '../problem.ts';
import { chainSection } from './chain-section.ts';
import { badge, factList, moment, seriesLink } from './elements.ts';
import { registerPage, type Page } from './page.ts';

/** GET /console/requests/ID: what a rule asked of the composer, and what became of it. */
export const registerRequestPage: RegisterRoute = (app, api) => {
  registerPage(
    app,
    api,
    { path: '/console/requests/:id{[0-9]{1,15}}', keys: [] },
    async (context, request): Promise<Page> => {
      const { prefix, now } = context;
      const id = Number(request.req.param('id'));
      const row = await findComposeRequest(context.database.kysely, id);
      if (row === undefined)
        throw new ApiProblem(404, 'compose_request.unknown', `There is no request ${id}.`);
      return {
        title: `Request ${id}, ${row.state}`,
        here: 'rules',
        ...(row.state === 'pending' || row.state === 'running' ? { reloadSeconds: 5 } : {}),
        body: html`<h1>Request ${id} ${badge(row.state)}</h1>
          ${row.reason === null ? '' : html`<p class="lead">${row.reason}</p>`}
          ${await chainSection(context, { kind: 'request', id })}
          <h2>Facts</h2>
          ${factList([
            ['Rule', html`<a href="${prefix}/console/rules/${row.rule}">${row.rule}</a>`],
            ['Series', seriesLink(context, row.series)],
            ['Asked', moment(row.created_at, now)],
            ['Not before', row.not_before === null ? null : moment(row.not_before, now)],
            ['Started', row.started_at === null ? null : moment(row.started_at, now)],
            ['Finished', row.finished_at === null ? null : moment(row.finished_at, now)],
            ['Priority', row.priority],
            ['When busy', row.when_busy],
            ['Attempts', row.attempt],
            ['Koji event', row.koji_event],
          ])}
          <h2>What it asks for</h2>
          <pre tabindex="0">${JSON.stringify(row.body, null, 2)}</pre>`,
      };
    },
  );
};

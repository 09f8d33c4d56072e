import { html } from 'hono/html';
import { findPauses } from '../../database/rule-pauses.ts';
import type { RegisterRoute } from '../context.ts';
import { readShownRules } from '../rule-set.ts';
import { badge, stackTable } from './elements.ts';
import { livePart } from './follow-changes.ts';
import { registerPage, type Html, type Page } from './page.ts';
import { problemList } from './rule-problems.ts';

const perPage = 200;

/** GET /console/rules: the rules, how each is, and what is wrong with their files. */
export const registerRulesPage: RegisterRoute = (app, api) => {
  registerPage(
    app,
    api,
    { path: '/console/rules', keys: ['page'] },
    async (context, request): Promise<Page> => {
      const { set, problems } = await readShownRules(context);
      const paused = new Set((await findPauses(context.database.kysely)).map(({ rule }) => rule));
      const page = Math.max(1, Number(request.req.query('page') ?? '1') || 1);
      const start = (page - 1) * perPage;
      const rows = set.rules.slice(start, start + perPage).map(
        (rule) =>
          html`<tr>
            <td><a href="${context.prefix}/console/rules/${rule.name}">${rule.name}</a></td>
            <td>${badge(paused.has(rule.name) ? 'paused' : rule.mode)}</td>
            <td>${rule.description}</td>
            <td data-label="Owner">${rule.owner}</td>
          </tr>`,
      );
      return {
        title: 'Rules',
        here: 'rules',
        body: livePart(
          context,
          { id: 'list', subjects: ['rules'] },
          html`<h1>Rules <span class="soft">${set.rules.length}</span></h1>
            ${problemList(problems)}
            ${
              set.rules.length === 0
                ? html`<p class="empty">
                    ${context.config.rules_dir === '' ? 'No directory of rules is set.' : 'No rule runs.'}
                    Write one with
                    <code>odcs-reactor rules new NAME --for tag --source TAG --rules DIRECTORY</code>, check
                    it with <code>odcs-reactor rules check DIRECTORY</code>, and name the directory in the
                    setting <code>rules_dir</code>.
                  </p>`
                : html`<p class="soft small">Set ${set.version}</p>
                    ${stackTable(['Rule', 'State', 'What for', 'Owner'], rows)}
                    ${pageLinks(context.prefix, page, set.rules.length)}`
            }`,
        ),
      };
    },
  );
};

function pageLinks(prefix: string, page: number, count: number): Html {
  if (count <= perPage) return html``;
  const link = (to: number, text: string): Html =>
    html`<a href="${prefix}/console/rules?page=${to}">${text}</a>`;
  return html`<p>
    ${page > 1 ? link(page - 1, 'Previous') : ''} ${page * perPage < count ? link(page + 1, 'Next') : ''}
  </p>`;
}

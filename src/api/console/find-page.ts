import { html } from 'hono/html';
import type { RegisterRoute } from '../context.ts';
import { eventSentence } from '../event-sentence.ts';
import { findAnswer, type FindAnswer } from '../find/find-answer.ts';
import { badge, composeTable, moment, seriesLink, stackTable } from './elements.ts';
import { MOST_SERIES } from '../find/held-builds.ts';
import { registerPage, type Html, type Page, type PageContext } from './page.ts';

const kinds: Readonly<Record<FindAnswer['query']['kind'], string>> = {
  number: 'a number',
  cve: 'a CVE',
  advisory: 'an advisory',
  update: 'an update of Bodhi',
  module: 'a module',
  build: 'a build',
  name: 'a name of a package, tag, series or rule',
};

const examples = [
  'openssl-3.2.1-5.fc44',
  'openssl',
  'f44-updates',
  'CVE-2026-1234',
  'FEDORA-2026-0a1b2c3d4e',
  'nodejs:22',
];

/** GET /find?q=TEXT: what is known of something, and what came of it. */
export const registerFindPage: RegisterRoute = (app, api) => {
  registerPage(app, api, { path: '/find', keys: ['q'] }, async (context, request): Promise<Page> => {
    const typed = request.req.query('q') ?? '';
    const answer = await findAnswer(context, typed);
    const { query } = answer;
    if (query.word === '') {
      return {
        title: 'Find',
        here: 'find',
        body: html`<h1>Find</h1>
          <p>
            A build, package, tag, update, CVE, advisory, module, compose, series or rule: what is known of
            it, and what came of it. The key <kbd>/</kbd> goes to the field from every page.
          </p>
          <p class="soft">
            For example
            ${examples.map((example) => html`<a href="${context.prefix}/find?q=${encodeURIComponent(example)}">${example}</a> `)}
          </p>`,
      };
    }
    return {
      title: `Find ${query.text}`,
      here: 'find',
      wanted: query.text,
      body: html`<h1>${query.text} <span class="soft small">read as ${kinds[query.kind]}</span></h1>
        <p class="lead">${answer.sentence}</p>
        ${checkList(answer.checks)} ${namedSection(context, answer)} ${verdictSection(context, answer)}
        ${
          answer.composes.length === 0
            ? ''
            : html`<h2>Composes <span class="soft">${answer.composes.length}</span></h2>
                ${composeTable(context, answer.composes)}`
        }
        ${heldSection(context, answer)} ${eventSection(context, answer)}
        <p class="small">
          <a href="${context.prefix}/api/1/find?q=${encodeURIComponent(query.text)}">The same as JSON</a> ·
          <code>odcs-reactor find '${query.text}'</code>
        </p>`,
    };
  });
};

function checkList(checks: readonly string[]): Html {
  if (checks.length === 0) return html``;
  return html`<h2>What to check</h2>
    <ul>
      ${checks.map((check) => html`<li>${check}</li>`)}
    </ul>`;
}

function namedSection(context: PageContext, { series, rule }: FindAnswer): Html {
  if (series === null && rule === null) return html``;
  return html`<p class="notice">
    ${series === null ? '' : html`A series is called so: ${seriesLink(context, series)}.`}
    ${rule === null ? '' : html`A rule is called so: <a href="${context.prefix}/console/rules/${rule}">${rule}</a>.`}
  </p>`;
}

function verdictSection({ prefix, now }: PageContext, { verdicts }: FindAnswer): Html {
  if (verdicts.length === 0) return html``;
  const rows = verdicts.map(
    (finding) =>
      html`<tr>
        <td>${badge(finding.outcome)}</td>
        <td class="plain"><a href="${prefix}/console/rules/${finding.rule}">${finding.rule}</a></td>
        <td>
          ${finding.words}${finding.earlier > 0 ? html` <span class="soft">and ${finding.earlier} before</span>` : ''}
        </td>
        <td class="plain small">
          ${finding.event === null ? '' : html`<a href="${prefix}/console/events/${finding.event}">event ${finding.event}</a>`}
          ${finding.compose === null ? '' : html`<a href="${prefix}/console/composes/${finding.compose}">compose ${finding.compose}</a>`}
        </td>
        <td>${moment(finding.at, now)}</td>
      </tr>`,
  );
  return html`<h2>What rules made of it <span class="soft">${verdicts.length}</span></h2>
    ${stackTable(['Outcome', 'Rule', 'What and why', 'About', 'When'], rows)}`;
}

function heldSection(context: PageContext, { held }: FindAnswer): Html {
  if (held.length === 0) return html``;
  return html`<h2>
      Held now by <span class="soft">${held.length} of the ${MOST_SERIES} series composed last</span>
    </h2>
    ${stackTable(
      ['Series', 'Compose', 'Packages'],
      held.map(
        ({ series, compose, packages }) =>
          html`<tr>
            <td>${seriesLink(context, series)}</td>
            <td data-label="Compose">
              <a href="${context.prefix}/console/composes/${compose}#packages">${compose}</a>
            </td>
            <td>${packages.join(', ')}</td>
          </tr>`,
      ),
    )}`;
}

function eventSection({ prefix, now }: PageContext, { events }: FindAnswer): Html {
  if (events.length === 0) return html``;
  return html`<h2>Events that tell of it <span class="soft">${events.length}</span></h2>
    ${stackTable(
      ['Event', 'What', 'Received'],
      events.map(
        ({ id, input }) =>
          html`<tr>
            <td><a href="${prefix}/console/events/${id}">${id}</a></td>
            <td>
              ${eventSentence(input.event)}
              <div class="small soft">${input.topic}</div>
            </td>
            <td>${moment(new Date(input.receivedAt), now)}</td>
          </tr>`,
      ),
    )}`;
}

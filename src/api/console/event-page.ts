import { html } from 'hono/html';
import { findDecisions } from '../../database/decisions.ts';
import { findInputEvents } from '../../database/input-events.ts';
import { findComposes } from '../../database/list-composes.ts';
import { findStoredEvent } from '../../database/list-events.ts';
import type { RegisterRoute } from '../context.ts';
import { findRefusals, type Refusals } from '../explain-event.ts';
import { ApiProblem } from '../problem.ts';
import { rawBody } from '../routes/show-event.ts';
import { chainSection } from './chain-section.ts';
import { composeTable, decisionTable, moment, withoutRepetition } from './elements.ts';
import { eventSentence } from '../event-sentence.ts';
import { livePart } from './follow-changes.ts';
import { registerPage, type Html, type Page } from './page.ts';

const shownRefusals = 50;

/** GET /console/events/ID: one event, what it means, what rules decided, what came of it, and the raw message. */
export const registerEventPage: RegisterRoute = (app, api) => {
  registerPage(
    app,
    api,
    { path: '/console/events/:id{[0-9]{1,15}}', keys: [] },
    async (context, request): Promise<Page> => {
      const { prefix, now } = context;
      const { kysely } = context.database;
      const id = Number(request.req.param('id'));
      const row = await findStoredEvent(kysely, id);
      if (row === undefined) throw new ApiProblem(404, 'event.unknown', `There is no event ${id}.`);
      const decisions = await findDecisions(kysely, { event: id, limit: 500 });
      const said = decisions.filter(({ outcome }) => outcome !== 'not_matched');
      const [stored] = await findInputEvents(kysely, [id]);
      const others = stored === undefined ? null : await findRefusals(context, stored, shownRefusals);
      const composes = await findComposes(kysely, [
        ...new Set(decisions.flatMap((decision) => decision.compose_id ?? [])),
      ]);
      const body = rawBody(row.body);
      const live = (part: string, content: Html): Html =>
        livePart(context, { id: part, subjects: ['composes', 'progress', 'events', 'decisions'] }, content);
      return {
        title: `Event ${id}`,
        here: 'events',
        body: html`<h1>Event ${id}</h1>
          ${
            row.event === null
              ? html`<div class="notice bad">
                  <p><strong>It was not understood.</strong> ${row.reason}</p>
                </div>`
              : html`<p>${eventSentence(row.event)}</p>`
          }
          ${live('way', await chainSection(context, { kind: 'event', id }))}
          <dl>
            <dt>Received</dt>
            <dd>${moment(row.received_at, now)}</dd>
            <dt>Bus</dt>
            <dd>${row.bus}, ${row.instance}</dd>
            <dt>Topic</dt>
            <dd>${row.raw_topic}</dd>
            <dt>Message id</dt>
            <dd>${row.message_id}</dd>
          </dl>
          ${live(
            'outcome',
            html`<h2>What came of it</h2>
              <p>Seen by the rules: ${row.matched_at === null ? 'not yet' : moment(row.matched_at, now)}</p>
              ${composes.length === 0 ? html`<p>No compose.</p>` : composeTable(context, composes)}
              ${
                said.length === 0
                  ? html`<p>No rule fired for it.</p>`
                  : html`<h2>Decisions</h2>
                      ${decisionTable(context, withoutRepetition(said))}`
              }
              ${
                others === null || others.count === 0
                  ? ''
                  : html`<details>
                      <summary>${refusalText(others)}</summary>
                      <ul>
                        ${others.first.map(
                          ({ rule, sentence }) =>
                            html`<li><a href="${prefix}/console/rules/${rule}">${rule}</a>: ${sentence}</li>`,
                        )}
                      </ul>
                      ${others.count > others.first.length ? html`<p>The first ${others.first.length} are shown.</p>` : ''}
                    </details>`
              }`,
          )}
          ${
            row.event === null
              ? ''
              : html`<h2>As rules see it</h2>
                  <pre tabindex="0">${JSON.stringify(row.event, null, 2)}</pre>`
          }
          <h2>The raw message</h2>
          <details>
            <summary>Headers</summary>
            <pre tabindex="0">${JSON.stringify(row.headers, null, 2)}</pre>
          </details>
          <pre tabindex="0">${'text' in body ? indentJson(body.text) : `base64: ${body.base64}`}</pre>
          <p class="small"><a href="${prefix}/api/1/events/${id}">The same as JSON</a></p>`,
      };
    },
  );
};

function refusalText({ count, isOfThen }: Refusals): string {
  return `${count} rule${count === 1 ? '' : 's'} did not match${isOfThen ? '' : ', as they are now'}`;
}

/** JSON with line breaks; other text as it is. */
function indentJson(text: string): string {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}

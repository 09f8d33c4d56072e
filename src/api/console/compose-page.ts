import { html } from 'hono/html';
import { findCompose } from '../../database/composes.ts';
import { rest } from '../../in-turns.ts';
import { composeJson, type Compose } from '../../model/compose-json.ts';
import { composeIdOf, noSuchCompose } from '../compose-id.ts';
import { findComposeReasons, type ComposeReasons } from '../compose-reasons.ts';
import type { RegisterRoute } from '../context.ts';
import { queryOfRequest } from './ask-form.ts';
import { advisoriesSection } from './advisories-section.ts';
import { chainSection } from './chain-section.ts';
import { changeSection, readChange } from './compose-change.ts';
import { readContents } from './compose-contents.ts';
import { contentsSection } from './compose-contents-section.ts';
import { useSection } from './compose-use.ts';
import { badge, decisionTable, factList, moment, progressLine, seriesLink, sourceText } from './elements.ts';
import { formatSpan } from '../chain/chain.ts';
import { deliverablesSection } from './deliverables-section.ts';
import { imagesSection } from './images-section.ts';
import { stagesSection } from './stages-section.ts';
import { variantsSection } from './variants-section.ts';
import { registerPage, type Html, type Page, type PageContext } from './page.ts';
import { eventSentence } from '../event-sentence.ts';

/** GET /console/composes/ID: one compose, how it is, how to use it, what it holds, why it was made, what changed. */
export const registerComposePage: RegisterRoute = (app, api) => {
  registerPage(
    app,
    api,
    { path: '/console/composes/:id{[0-9]{1,15}}', keys: ['since', 'q'] },
    async (context, request): Promise<Page> => {
      const { kysely } = context.database;
      const compose = await findCompose(kysely, composeIdOf(request));
      if (compose === undefined) throw noSuchCompose();
      const reasons = await findComposeReasons(kysely, compose);
      const held = await readContents(context, compose);
      const since = /^\d{1,15}$/.exec(request.req.query('since') ?? '')?.[0];
      const change = await readChange(
        context,
        compose,
        since === undefined ? reasons.previous : Number(since),
      );
      await rest();
      const isLive = compose.state === 'wait' || compose.state === 'generating';
      const wanted = (request.req.query('q') ?? '').slice(0, 100);
      return {
        title: `Compose ${compose.id}, ${compose.state}`,
        here: 'composes',
        ...(isLive ? { reloadSeconds: 5 } : {}),
        body: html`<h1>Compose ${compose.id} ${badge(compose.state)}</h1>
          <p>${sourceText(compose)}</p>
          ${stateNotice(context, compose)} ${warningList(compose)}
          ${await chainSection(context, { kind: 'compose', id: compose.id })}
          ${await stagesSection(context, compose)} ${await useSection(context, compose)}
          ${whySection(context, reasons)} ${await deliverablesSection(context, compose)}
          ${await variantsSection(context, compose, change?.diff ?? null)}
          ${changeSection(context, compose, { change, previousOfSeries: reasons.previous })}
          ${await advisoriesSection(context, compose, reasons.previous)} ${imagesSection(context, compose)}
          ${contentsSection(context, compose, held, wanted)} ${factsSection(context, compose)}`,
      };
    },
  );
};

function stateNotice(context: PageContext, compose: Compose): Html {
  const { prefix, now } = context;
  switch (compose.state) {
    case 'wait':
    case 'generating':
      return html`<div
        class="notice busy"
        role="status"
        data-follow="${prefix}/api/1/composes/${compose.id}/events"
        data-state="${compose.state}"
      >
        <p>
          ${
            compose.reusedId === null
              ? compose.state === 'wait'
                ? 'Waiting for a composer.'
                : 'Being made.'
              : html`It will be what
                  <a href="${prefix}/console/composes/${compose.reusedId}">compose ${compose.reusedId}</a>
                  is.`
          }
          Submitted ${moment(compose.timeSubmitted, now)}
        </p>
        ${
          compose.progress === null
            ? html`<progress aria-label="Progress"></progress> <span class="small" data-stage></span>`
            : progressLine(compose)
        }
      </div>`;
    case 'failed':
      return html`<div class="notice bad" role="alert">
        <p><strong>It failed.</strong> ${compose.stateReason}</p>
      </div>`;
    case 'removed':
      return html`<div class="notice">
        <p>
          It was removed${compose.removedBy === null ? '' : ` by ${compose.removedBy}`}
          ${compose.timeRemoved === null ? '' : moment(compose.timeRemoved, now)}
          ${compose.stateReason === null ? '' : `: ${compose.stateReason}`}
        </p>
      </div>`;
    case 'done':
      return html`<div class="notice good">
        <p>
          Done ${compose.timeDone === null ? '' : moment(compose.timeDone, now, { hasOwn: true })}, kept until
          ${moment(compose.timeToExpire, now)}
          ${
            compose.reusedId === null
              ? ''
              : html`<br />Nothing had to be made: it shows
                  <a href="${prefix}/console/composes/${compose.reusedId}">compose ${compose.reusedId}</a>,
                  whose content is the same.`
          }
        </p>
      </div>`;
    default:
      return compose.state satisfies never;
  }
}

function warningList({ warnings }: Compose): Html {
  if (warnings.length === 0) return html``;
  return html`<h2>Warnings <span class="soft">${warnings.length}</span></h2>
    <div class="notice busy">
      <ul>
        ${warnings.map((warning) => html`<li>${warning}</li>`)}
      </ul>
    </div>`;
}

function whySection(context: PageContext, reasons: ComposeReasons): Html {
  const { prefix, now } = context;
  const events = reasons.causes.map(
    ({ id, input }) =>
      html`<li>
        <a href="${prefix}/console/events/${id}">${eventSentence(input.event)}</a>
        ${moment(new Date(input.receivedAt), now)}
      </li>`,
  );
  const rule =
    reasons.rule === null ? '' : html`<a href="${prefix}/console/rules/${reasons.rule}">The rule.</a>`;
  return html`<h2 id="why">Why it was made</h2>
    <p>${reasons.sentence} ${rule}</p>
    ${
      events.length === 0
        ? ''
        : html`<ul>
            ${events}
          </ul>`
    }
    ${reasons.decisions.length === 0 ? '' : decisionTable(context, reasons.decisions)}`;
}

/** How long it waited and was made. */
function spanText({ timeSubmitted, timeStarted, timeDone }: Compose): string | null {
  if (timeStarted === null) return null;
  const waited = `waited ${formatSpan(timeStarted.getTime() - timeSubmitted.getTime())}`;
  if (timeDone === null) return waited;
  return `${waited}, made in ${formatSpan(timeDone.getTime() - timeStarted.getTime())}`;
}

/** Names that stand on the page as they are; of more the first ones, and the others where somebody opens them. */
const SHOWN_NAMES = 60;

function packageNames(names: readonly string[]): Html | string {
  if (names.length <= SHOWN_NAMES) return names.join(' ');
  return html`<details>
    <summary>${names.slice(0, 5).join(' ')} and ${names.length - 5} more</summary>
    ${names.join(' ')}
  </details>`;
}

function factsSection(context: PageContext, compose: Compose): Html {
  const { now } = context;
  const json = composeJson(compose, context.targetDirUrls);
  const again = queryOfRequest(compose.request);
  const facts: readonly (readonly [string, string | number | Html | null])[] = [
    ['Owner', compose.owner],
    ['Series', compose.series === null ? null : seriesLink(context, compose.series)],
    ['Packages asked for', packageNames(compose.request.packages ?? [])],
    ['Arches', compose.arches],
    ['Signing keys', compose.sigkeys],
    [compose.request.sourceType === 'repo' ? 'Revision' : 'Koji event', compose.kojiEvent],
    ['Flags', json.flags.join(' ')],
    ['Lookaside', json.lookaside_repos],
    ['Multilib', json.multilib_arches],
    ['Label', compose.label],
    ['Compose id', compose.pungiComposeId],
    ['Submitted', moment(compose.timeSubmitted, now, { hasOwn: true })],
    ['Started', compose.timeStarted === null ? null : moment(compose.timeStarted, now, { hasOwn: true })],
    ['Done', compose.timeDone === null ? null : moment(compose.timeDone, now, { hasOwn: true })],
    ['Took', spanText(compose)],
    ['Fingerprint', compose.fingerprint],
  ];
  return html`<h2>Facts</h2>
    ${factList(facts)}
    <p class="small">
      <a href="${context.prefix}/api/1/composes/${compose.id}">The same as JSON</a>${
        again === null
          ? ''
          : html` · <a href="${context.prefix}/console/ask?${again}">Ask for the same again</a>`
      }
    </p>`;
}

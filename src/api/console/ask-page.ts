import { createHash, randomUUID } from 'node:crypto';
import { html, raw } from 'hono/html';
import { findOffers } from '../../database/processes.ts';
import { definitionOfType, sourceTypeNames } from '../../source-types.ts';
import { checkAsked, identifyClient, storeCompose } from '../asked-compose.ts';
import type { Identity } from '../auth.ts';
import type { ApiContext, ApiRequest, RegisterRoute } from '../context.ts';
import { planAsked, type DryRun } from '../plan-only.ts';
import { pageProblemOf, type ApiProblem } from '../problem.ts';
import { readForm } from '../read-body.ts';
import { refuseForeignPage } from '../refuse-foreign-page.ts';
import { askFields, bodyOfForm, readAskForm, ticked, type AskedBody, type AskForm } from './ask-form.ts';
import { previewSection, type Preview } from './ask-preview.ts';
import { recipesOf } from './ask-recipes.ts';
import { pageContextOf, registerPage, sendConsolePage, type Html, type Page } from './page.ts';
import type { PageContext } from './page.ts';

const path = '/console/ask';

/**
 * GET /console/ask: a form that asks for a compose, filled by the query; POST shows what it would hold (`do=preview`), or
 * asks for it (`do=ask`) and leads to the compose. Who may ask is decided as for POST of the API.
 */
export const registerAskPage: RegisterRoute = (app, api) => {
  registerPage(app, api, { path, keys: askFields }, async (context, request) => {
    const form = readAskForm(new URL(request.req.url).searchParams);
    return askPage(context, { form, key: randomUUID(), preview: null });
  });
  app.post(path, async (request) => {
    const context = pageContextOf(api, request);
    let form = readAskForm(new URLSearchParams());
    let key: string = randomUUID();
    let isAsked = true;
    try {
      refuseForeignPage(context, request);
      const fields = await readForm(request);
      form = readAskForm(fields);
      key = /^[\w-]{1,64}$/.exec(fields.get('key') ?? '')?.[0] ?? key;
      isAsked = fields.get('do') === 'ask';
      const identity = await identifyClient(context, request);
      if (!isAsked) {
        const preview = await previewOf(context, request, identity, bodyOfForm(form));
        return await sendConsolePage(context, await askPage(context, { form, key, preview }));
      }
      const id = await ask(context, request, identity, { body: bodyOfForm(form), key });
      return new Response(null, {
        status: 303,
        headers: { Location: `${context.prefix}/console/composes/${id}` },
      });
    } catch (error) {
      const problem = pageProblemOf(request, error, api);
      const preview = { kind: 'problem', problem } as const;
      const page = await askPage(context, { form, key, preview });
      // Why a request would be refused is what a look at it is for, and no failure.
      return sendConsolePage(context, isAsked ? { ...page, status: problem.status } : page);
    }
  });
};

/** Asks for what a form says, once for each form; returns the id of the compose. */
async function ask(
  context: ApiContext,
  request: ApiRequest,
  identity: Identity,
  { body, key }: { readonly body: AskedBody; readonly key: string },
): Promise<number> {
  const asked = await checkAsked(context, request, identity, { body, form: 'today' });
  const digest = createHash('sha256').update(JSON.stringify(body)).digest('hex').slice(0, 16);
  const { id } = await storeCompose(context, identity, { ...asked, key: `page ${key} ${digest}` });
  return id;
}

async function previewOf(
  context: PageContext,
  request: ApiRequest,
  identity: Identity,
  body: AskedBody,
): Promise<Preview> {
  const { publicBase, config } = context;
  const asked = await checkAsked(context, request, identity, { body, form: 'today' });
  const recipes = recipesOf({ publicBase, auth: config.auth_backend, user: identity.user }, body);
  const run = await planAsked(context, request, asked, identity).catch(
    (error: unknown): DryRun | ApiProblem => pageProblemOf(request, error, context),
  );
  return { kind: 'asked', recipes, run };
}

interface Shown {
  readonly form: AskForm;
  /** The same for one form, however often it is sent. */
  readonly key: string;
  readonly preview: Preview | null;
}

async function askPage(context: PageContext, { form, key, preview }: Shown): Promise<Page> {
  return {
    title: 'Ask for a compose',
    here: 'ask',
    body: html`<h1>Ask for a compose</h1>
      <div class="beside">
        <form class="ask" method="post" action="${context.prefix}${path}" data-preview="preview">
          <input type="hidden" name="key" value="${key}" />
          ${await mainFields(context, form)} ${moreFields(form)}
          <p class="buttons">
            <button name="do" value="preview">Show what it would hold</button>
            <button class="first" name="do" value="ask">Ask for it</button>
          </p>
        </form>
        <div id="preview" aria-live="polite">${previewSection(context, preview)}</div>
      </div>`,
  };
}

async function mainFields({ database }: PageContext, form: AskForm): Promise<Html> {
  const { sourceTypes } = await findOffers(database.kysely);
  const types = sourceTypeNames.filter((type) => sourceTypes.includes(type));
  const chosen = form.type[0] ?? types[0];
  return html`<label
      >Made from
      <select name="type">
        ${types.map(
          (type) =>
            html`<option value="${type}" ${type === chosen ? raw('selected') : ''}>
              ${type.replace('_', ' ')}: ${definitionOfType[type].words}
            </option>`,
        )}
      </select>
    </label>
    ${textField('source', 'Source', form, 'f44-updates')}
    ${areaField('packages', 'Packages; all of a tag where none is named', form)}
    ${areaField('builds', 'Builds beside them, by NVR', form)}
    ${textField('arches', 'Arches', form, 'x86_64 aarch64')}
    ${textField('sigkeys', 'Signing keys, the best first; "unsigned" allows unsigned packages', form, '')}`;
}

function moreFields(form: AskForm): Html {
  const filled = (
    ['koji_event', 'lookaside_repos', 'multilib_arches', 'hours', 'series', 'label'] as const
  ).some((field) => form[field].length > 0);
  const isOpen =
    filled || [form.flags, form.results, form.multilib_method].some((choices) => choices.length > 0);
  return html`<details ${isOpen ? raw('open') : ''}>
    <summary>More</summary>
    ${tickFields('flags', 'Flags', form)} ${tickFields('results', 'Results beside repositories', form)}
    ${textField('series', 'Series it continues', form, '')}
    ${textField('hours', 'Hours it lives', form, '24')}
    ${textField('lookaside_repos', 'Lookaside repositories, whose packages are left out', form, '')}
    ${textField('koji_event', 'Koji event', form, '')}
    ${textField('multilib_arches', 'Arches with multilib packages', form, '')}
    ${tickFields('multilib_method', 'Multilib packages', form)} ${textField('label', 'Label', form, 'RC-1.0')}
  </details>`;
}

type TextField =
  | 'source'
  | 'arches'
  | 'sigkeys'
  | 'koji_event'
  | 'lookaside_repos'
  | 'multilib_arches'
  | 'hours'
  | 'series'
  | 'label';

function textField(name: TextField, label: string, form: AskForm, example: string): Html {
  return html`<label
    >${label}
    <input
      name="${name}"
      value="${form[name].join(' ')}"
      placeholder="${example}"
      maxlength="20000"
      spellcheck="false"
  /></label>`;
}

function areaField(name: 'packages' | 'builds', label: string, form: AskForm): Html {
  return html`<label
    >${label}
    <textarea name="${name}" rows="${name === 'packages' ? 4 : 2}" spellcheck="false">
${form[name].join('\n')}</textarea>
  </label>`;
}

function tickFields(name: keyof typeof ticked, label: string, form: AskForm): Html {
  return html`<fieldset>
    <legend>${label}</legend>
    ${ticked[name].map(
      (value) =>
        html`<label class="tick"
          ><input
            type="checkbox"
            name="${name}"
            value="${value}"
            ${form[name].includes(value) ? raw('checked') : ''}
          />
          ${value}</label
        >`,
    )}
  </fieldset>`;
}

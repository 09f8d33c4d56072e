import { createHash } from 'node:crypto';
import { html, raw } from 'hono/html';
import { clientOf } from '../client.ts';
import type { ApiApp, ApiContext, ApiRequest } from '../context.ts';
import { pageProblemOf, type ApiProblem, type ProblemStatus } from '../problem.ts';
import { refuseUnknownKeys } from '../refuse-unknown-query.ts';
import { pagesScriptHash, pagesScriptPath } from './pages-script.ts';
import { style } from './style.ts';

/** HTML whose every inserted text is escaped. */
export type Html = ReturnType<typeof html>;

/** What a page shows, and where its links begin. */
export interface PageContext extends ApiContext {
  /** The mount prefix: empty or with a leading slash. */
  readonly prefix: string;
  /** Scheme, host and mount prefix as the reader sees them; no final slash. */
  readonly publicBase: string;
  readonly now: Date;
}

export interface Page {
  readonly title: string;
  /** The entry of the navigation this page belongs to. */
  readonly here: 'start' | 'composes' | 'series' | 'events' | 'rules' | 'ask' | 'find' | 'api';
  readonly body: Html;
  /** Seconds after which the page loads itself again where no script runs; absent for pages that stand still. */
  readonly reloadSeconds?: number;
  /** What was looked for, shown in the field. */
  readonly wanted?: string;
  readonly status?: ProblemStatus;
}

const styleHash = `sha256-${createHash('sha256').update(style).digest('base64')}`;

/** Nothing runs or loads but the style in the page and the one script: browsers that know no hashes go by its address. */
function policyOf({ publicBase }: PageContext): string {
  return [
    "default-src 'none'",
    `style-src '${styleHash}'`,
    `script-src '${pagesScriptHash}' ${publicBase}${pagesScriptPath}`,
    "connect-src 'self'",
    'img-src data:',
    "form-action 'self'",
    "base-uri 'none'",
    "frame-ancestors 'none'",
  ].join('; ');
}

const entries = [
  ['start', 'Overview', '/'],
  ['composes', 'Composes', '/console/composes'],
  ['series', 'Series', '/console/series'],
  ['events', 'Events', '/console/events'],
  ['rules', 'Rules', '/console/rules'],
  ['ask', 'Ask', '/console/ask'],
] as const;

/** A whole page under a policy that lets nothing run or load but what is ours. */
export async function sendConsolePage(context: PageContext, page: Page): Promise<Response> {
  const { prefix } = context;
  const links = entries.map(
    ([name, label, path]) =>
      html`<a href="${prefix}${path}" ${name === page.here ? raw('aria-current="page"') : ''}>${label}</a>`,
  );
  const reload = page.reloadSeconds;
  const document = await html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <title>${page.title} · ODCS</title>
        <link rel="icon" href="data:," />
        ${raw(`<style>${style}</style>`)}
        ${reload === undefined ? '' : raw(`<noscript><meta http-equiv="refresh" content="${reload}"></noscript>`)}
        ${raw(`<script src="${prefix}${pagesScriptPath}" integrity="${pagesScriptHash}" defer></script>`)}
      </head>
      <body>
        <a class="skip" href="#content">To the content</a>
        <header>
          <div class="bar">
            <a class="brand" href="${prefix}/" aria-label="ODCS, overview">ODCS</a>
            <nav aria-label="Pages">${links}</nav>
            <form class="find" role="search" action="${prefix}/find">
              <input
                id="find"
                type="search"
                name="q"
                value="${page.wanted ?? ''}"
                maxlength="200"
                aria-label="Find a build, package, tag, update, CVE, module, compose, series or rule"
                placeholder="Find build, package, CVE, tag …"
                autocomplete="off"
                spellcheck="false"
                aria-keyshortcuts="/"
              />
              <kbd aria-hidden="true">/</kbd>
              <button>Find</button>
            </form>
          </div>
        </header>
        <main id="content">${page.body}</main>
        <footer>
          On Demand Compose Service ${context.version} · <a href="${prefix}/console/api">API</a> ·
          <a href="${prefix}/api/1/about/">About</a> · <a href="${prefix}/api/1/metrics/">Metrics</a> ·
          <a href="${prefix}/api/1/health">Health</a> · <a href="${context.targetDirUrls.default}/">Files</a>
        </footer>
      </body>
    </html> `;
  return new Response(String(document), {
    status: page.status ?? 200,
    headers: {
      'Content-Type': 'text/html; charset=utf-8',
      'Content-Security-Policy': policyOf(context),
      'X-Content-Type-Options': 'nosniff',
      'Referrer-Policy': 'same-origin',
      'Cache-Control': 'no-store',
    },
  });
}

/** What pages need beside the context of the API. */
export function pageContextOf(context: ApiContext, request: ApiRequest): PageContext {
  const { prefix, publicBase } = clientOf(request.req.raw, request.env, context.config);
  return { ...context, prefix, publicBase, now: context.clock.now() };
}

/** Where a page is, and the keys of a query that it knows; `any` where ODCS has the address too, which ignores keys. */
export interface PageAddress {
  readonly path: string;
  readonly keys: readonly string[] | 'any';
}

/**
 * Registers a page. Whatever goes wrong is shown as a page too, `request.unknown_query` (400) for a key of the query that it does not know.
 */
export function registerPage(
  app: ApiApp,
  context: ApiContext,
  { path, keys }: PageAddress,
  show: (context: PageContext, request: ApiRequest) => Promise<Page>,
): void {
  app.get(path, async (request) => {
    const here = pageContextOf(context, request);
    try {
      if (keys !== 'any') refuseUnknownKeys(request, keys);
      return await sendConsolePage(here, await show(here, request));
    } catch (error) {
      return await sendConsolePage(here, problemPage(here, pageProblemOf(request, error, context)));
    }
  });
}

/** The page of a problem. */
export function problemPage(context: PageContext, problem: ApiProblem): Page {
  return {
    title: problem.message,
    here: 'find',
    status: problem.status,
    body: html`<h1>${problem.message}</h1>
      <p class="soft">${problem.code}</p>
      <p>${problem.hint ?? ''}</p>
      <p><a href="${context.prefix}/">To the overview</a></p>`,
  };
}

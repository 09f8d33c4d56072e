import { OpenAPIHono } from '@hono/zod-openapi';
import { methodNotAllowed } from 'hono/method-not-allowed';
import { randomUUID } from 'node:crypto';
import { clientOf, trustList } from './client.ts';
import type { ApiApp, ApiContext, ApiEnv, ApiRequest, RegisterRoute } from './context.ts';
import { registerAskPage } from './console/ask-page.ts';
import { registerComposePage } from './console/compose-page.ts';
import { registerComposesPage } from './console/composes-page.ts';
import { registerFollowChanges } from './console/follow-changes.ts';
import { registerEventPage } from './console/event-page.ts';
import { registerEventsPage } from './console/events-page.ts';
import { pageContextOf, problemPage, sendConsolePage } from './console/page.ts';
import { registerRequestPage } from './console/request-page.ts';
import { registerWindowPage } from './console/window-page.ts';
import { registerRulePage } from './console/rule-page.ts';
import { registerRulesPage } from './console/rules-page.ts';
import { registerSeriesListPage } from './console/series-list-page.ts';
import { registerSeriesPage } from './console/series-page.ts';
import { registerStartPage } from './console/start-page.ts';
import { registerReferencePage } from './console/reference-page.ts';
import { registerFindPage } from './console/find-page.ts';
import { registerPagesScript } from './console/pages-script.ts';
import { readAs, readableDatabase } from '../database/readable.ts';
import { instrument, withTrace } from '../instrument.ts';
import { ApiProblem, sendProblem } from './problem.ts';
import { readerOfRequest } from './reader-of-request.ts';
import { registerOpenapi } from './openapi.ts';
import { refuseNul } from './refuse-nul.ts';
import { createQueryCheck } from './refuse-unknown-query.ts';
import { registerAbout } from './routes/about.ts';
import { registerBacktestRule } from './routes/backtest-rule.ts';
import { registerCreateCompose } from './routes/create-compose.ts';
import { registerDeleteCompose } from './routes/delete-compose.ts';
import { registerExplainRule } from './routes/explain-rule.ts';
import { registerChangeImage } from './routes/change-image.ts';
import { registerListImages } from './routes/list-images.ts';
import { registerShowChangedImages } from './routes/show-changed-images.ts';
import { registerFollowSeries } from './routes/follow-series.ts';
import { registerFollowCompose } from './routes/follow-compose.ts';
import { registerFollowEvents } from './routes/follow-events.ts';
import { registerHealth } from './routes/health.ts';
import { registerKeepSeries } from './routes/keep-series.ts';
import { registerListComposes } from './routes/list-composes.ts';
import { registerListSeries } from './routes/list-series.ts';
import { registerListRules } from './routes/list-rules.ts';
import { registerListEvents } from './routes/list-events.ts';
import { registerLockPackages } from './routes/lock-packages.ts';
import { registerMetrics } from './routes/metrics.ts';
import { registerListDecisions } from './routes/list-decisions.ts';
import { registerFind } from './routes/find.ts';
import { registerRedirects } from './routes/redirects.ts';
import { registerRenewCompose } from './routes/renew-compose.ts';
import { registerShowAdvisories } from './routes/show-advisories.ts';
import { registerServeFiles } from './routes/serve-files.ts';
import { registerShowEvent } from './routes/show-event.ts';
import { registerShowBill } from './routes/show-bill.ts';
import { registerShowCompose } from './routes/show-compose.ts';
import { registerShowSeries } from './routes/show-series.ts';
import { registerShowLog } from './routes/show-log.ts';
import { registerShowManifest } from './routes/show-manifest.ts';
import { registerSteerRule } from './routes/steer-rule.ts';
import { registerWhyCompose } from './routes/why-compose.ts';

/** Every route of the service. */
const routes: readonly RegisterRoute[] = [
  registerCreateCompose,
  registerListComposes,
  registerListDecisions,
  registerShowCompose,
  registerRenewCompose,
  registerDeleteCompose,
  registerFollowCompose,
  registerShowBill,
  registerShowLog,
  registerShowManifest,
  registerShowAdvisories,
  registerWhyCompose,
  registerShowChangedImages,
  registerListImages,
  registerChangeImage,
  registerListSeries,
  registerShowSeries,
  registerFollowSeries,
  registerKeepSeries,
  registerLockPackages,
  registerListRules,
  registerExplainRule,
  registerBacktestRule,
  registerSteerRule,
  registerListEvents,
  registerShowEvent,
  registerFollowEvents,
  registerFind,
  registerAbout,
  registerMetrics,
  registerHealth,
  registerPagesScript,
  registerFollowChanges,
  registerStartPage,
  registerFindPage,
  registerReferencePage,
  registerComposesPage,
  registerComposePage,
  registerSeriesListPage,
  registerSeriesPage,
  registerEventsPage,
  registerEventPage,
  registerRulesPage,
  registerRulePage,
  registerWindowPage,
  registerRequestPage,
  registerAskPage,
  registerServeFiles,
  registerRedirects,
];

/** Runs what answers a request, as a stage where it may change something or somebody traces it. */
function traceRequest(request: ApiRequest, next: () => Promise<void>): Promise<void> {
  const { method, path } = request.req;
  const trace = request.req.header('traceparent');
  if (trace === undefined && (method === 'GET' || method === 'HEAD')) return next();
  return withTrace([trace], () => instrument('request', { method, path }, next));
}

/**
 * The HTTP application: all routes, errors as JSON, unknown URLs 404, wrong methods 405 with Allow. `more` are
 * routes of other rooms. Pass its `fetch` to a server, or call `request()` in tests. Throws
 * `config.invalid_value` for a trusted proxy that is no address.
 */
export function createApp(whole: ApiContext, more: readonly RegisterRoute[] = []): ApiApp {
  const context: ApiContext = { ...whole, database: readableDatabase(whole.database) };
  trustList(context.config.trusted_proxies);
  let checkQuery: (request: ApiRequest) => void = () => undefined;
  const app: ApiApp = new OpenAPIHono<ApiEnv>({
    getPath: (request, options) => {
      const { pathname } = new URL(request.url);
      const bindings = options?.env;
      const { prefix } = clientOf(request, bindings, context.config);
      const isBelow = prefix !== '' && (pathname === prefix || pathname.startsWith(`${prefix}/`));
      return isBelow ? pathname.slice(prefix.length) || '/' : pathname;
    },
  });
  app.use('*', async (request, next) => {
    request.set('requestId', randomUUID());
    await traceRequest(request, next);
    request.res.headers.set('X-Request-Id', request.get('requestId'));
    const { method, path } = request.req;
    const fields = { method, path, status: request.res.status, requestId: request.get('requestId') };
    context.log.debug(fields, 'Request served');
  });
  app.use('*', async (request, next) => {
    refuseNul(request);
    checkQuery(request);
    await next();
  });
  app.use('*', async (request, next) => {
    const reader = await readerOfRequest(context, request);
    await readAs(reader, next);
    // What somebody in particular may read is nothing for caches that others read from.
    if (reader.user !== null) {
      request.res.headers.set('Cache-Control', 'private, no-cache');
      request.res.headers.append('Vary', 'Authorization');
    }
  });
  app.use(
    '*',
    methodNotAllowed({
      app,
      onMethodNotAllowed: (request, methods) => {
        const allow = [...methods, 'OPTIONS'].join(', ');
        if (request.req.method === 'OPTIONS') return new Response(null, { headers: { Allow: allow } });
        const problem = new ApiProblem(
          405,
          'request.method_not_allowed',
          `${request.req.method} is not possible here, only ${methods.join(', ')}.`,
        );
        const response = sendProblem(request, problem, context);
        response.headers.set('Allow', allow);
        return response;
      },
    }),
  );
  app.onError((error, request) => sendProblem(request, error, context));
  app.notFound((request) => {
    const problem = new ApiProblem(404, 'request.unknown_url', `There is nothing at ${request.req.path}.`, {
      hint: 'GET /api/1/openapi.json lists every address.',
    });
    const isPage = !/^\/(?:api|odcs)\//.test(request.req.path);
    if (isPage && (request.req.header('Accept') ?? '').includes('text/html')) {
      const here = pageContextOf(context, request);
      return sendConsolePage(here, problemPage(here, problem));
    }
    return sendProblem(request, problem, context);
  });
  for (const register of [...routes, ...more]) register(app, context);
  registerOpenapi(app, context);
  checkQuery = createQueryCheck(app);
  return app;
}

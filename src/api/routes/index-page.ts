import { listComposes } from '../../database/list-composes.ts';
import { composeJson, type Compose } from '../../model/compose-json.ts';
import { clientOf } from '../client.ts';
import type { ApiContext, RegisterRoute } from '../context.ts';
import { escapeHtml, sendPage } from '../html.ts';

const rowsShown = 50;

/** The front page: what this is and the newest composes. Source: ODCS contract 7. */
export const registerIndexPage: RegisterRoute = (app, context) => {
  app.get('/', async (request) => {
    const { composes, total } = await listComposes(context.database.handle, {
      filters: {},
      orderBy: 'id',
      isDescending: true,
      limit: rowsShown,
      offset: 0,
    });
    const { prefix } = clientOf(request.req.raw, request.env, context.config.trusted_proxies);
    return sendPage('On Demand Compose Service', page(context, prefix, composes, total));
  });
};

function page(context: ApiContext, prefix: string, composes: readonly Compose[], total: number): string {
  const rows = composes.map((compose) => row(context, prefix, compose)).join('\n');
  const table = `<table><thead><tr><th>Compose</th><th>State</th><th>Source</th><th>Packages</th><th>Owner</th>
<th>Submitted</th><th>Repository</th></tr></thead><tbody>
${rows}
</tbody></table>`;
  return `<h1>On Demand Compose Service</h1>
<p>RPM repositories, made on request and when their inputs change.
<a href="${prefix}/api/1/openapi.json">API</a> · <a href="${prefix}/api/1/about/">About</a> ·
<a href="${prefix}/api/1/metrics/">Metrics</a> · <a href="${prefix}/api/1/health">Health</a> ·
<a href="${escapeHtml(context.targetDirUrl)}/">Files</a></p>
<p>${total === 0 ? 'No compose was asked for yet.' : `The newest of ${total} composes:`}</p>
${total === 0 ? '' : table}`;
}

function row(context: ApiContext, prefix: string, compose: Compose): string {
  const json = composeJson(compose, context.targetDirUrl);
  const { progress } = compose;
  const stage =
    progress === null
      ? ''
      : `<br>${escapeHtml(progress.stage)} ${progress.done}/${progress.total} ${escapeHtml(progress.unit)}`;
  const reason = compose.state === 'failed' ? `<br>${escapeHtml(compose.stateReason ?? '')}` : stage;
  const link =
    compose.state === 'done' && json.result_repofile !== ''
      ? `<a href="${escapeHtml(json.result_repofile)}">odcs-${compose.reusedId ?? compose.id}.repo</a>`
      : '';
  const packages = compose.request.packages?.slice(0, 8).join(' ') ?? 'all';
  return `<tr><td><a href="${prefix}/api/1/composes/${compose.id}">${compose.id}</a></td>
<td class="${compose.state}">${compose.state}${reason}</td>
<td>${escapeHtml(`${compose.request.sourceType} ${compose.source}`)}</td><td>${escapeHtml(packages)}</td>
<td>${escapeHtml(compose.owner)}</td><td>${json.time_submitted}</td><td>${link}</td></tr>`;
}

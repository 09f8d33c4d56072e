import { html, raw } from 'hono/html';
import { findLastOfSeries } from '../../database/composes.ts';
import { findManifest } from '../../database/manifests.ts';
import { listLivingGroups } from '../../database/rule-groups.ts';
import type { Identity } from '../auth.ts';
import { parseComposeRequest, requestDefaults } from '../../model/compose-request.ts';
import { diffManifests, type ManifestDiff } from '../../model/manifest-diff.ts';
import { ReactorError } from '../../model/errors.ts';
import { readersOfBody } from '../../model/readers.ts';
import type { Rule } from '../../model/rule.ts';
import { askCompose } from '../../rules/ask-compose.ts';
import { readGroupKey } from '../../rules/group.ts';
import type { ApiRequest } from '../context.ts';
import { planAsked } from '../plan-only.ts';
import { ApiProblem, pageProblemOf } from '../problem.ts';
import { triggerEvent, type TriggerWish } from '../routes/steer-rule.ts';
import { changeLists } from './compose-change.ts';
import { seriesLink } from './elements.ts';
import type { Html, PageContext } from './page.ts';

const DAYS_MS = 30 * 86_400_000;
const MOST_GROUPS = 200;

/** What a form says of the trigger. Throws `request.invalid_body` (400) for a group that is none. */
export function wishOfForm(fields: URLSearchParams, by: string, reason: string): TriggerWish {
  const key = fields.get('group') ?? '';
  const wish = { by, reason, force: fields.get('force') === '1' };
  if (key === '') return wish;
  try {
    return { ...wish, group: readGroupKey(key) };
  } catch (cause) {
    throw new ApiProblem(400, 'request.invalid_body', 'The group is none of the rule.', { cause });
  }
}

/** The form that triggers a rule, with the groups that it has had of late. */
export async function triggerForm(
  { database, prefix, now }: PageContext,
  rule: Rule,
  said: Pick<TriggerWish, 'reason' | 'force'> & { readonly group: string },
): Promise<Html> {
  const groups =
    rule.groupBy.length === 0
      ? []
      : await listLivingGroups(database.kysely, rule.name, {
          since: new Date(now.getTime() - DAYS_MS),
          limit: MOST_GROUPS,
        });
  const action = `${prefix}/console/rules/${rule.name}/trigger`;
  const choice =
    groups.length === 0
      ? ''
      : html`<label
          >Group
          <select name="group">
            ${groups.map(
              ({ groupKey }) =>
                html`<option value="${groupKey}" ${groupKey === said.group ? raw('selected') : ''}>
                  ${Object.values(readGroupKey(groupKey)).join(' ')}
                </option>`,
            )}
          </select>
        </label>`;
  return html`<form method="post" action="${action}">
    ${choice}
    <label
      >Reason to trigger it <input name="reason" value="${said.reason}" required maxlength="500"
    /></label>
    <label class="tick"
      ><input type="checkbox" name="force" value="1" ${said.force ? raw('checked') : ''} /> although nothing
      changed</label
    >
    <button name="do" value="preview">Show what would change</button>
    <button name="do" value="trigger">Trigger</button>
  </form>`;
}

/** What would be asked for were the rule triggered now, and how that differs from what its series has. */
export async function triggerPreview(
  context: PageContext,
  request: ApiRequest,
  { rule, wish, identity }: { readonly rule: Rule; readonly wish: TriggerWish; readonly identity: Identity },
): Promise<Html> {
  const { config, now } = context;
  const event = triggerEvent(rule, wish, now);
  const receivedAt = now.toISOString();
  const cause = {
    bus: 'internal',
    messageId: 'preview',
    topic: event.kind,
    rawTopic: event.kind,
    receivedAt,
    sentAt: receivedAt,
    producer: null,
    instance: 'odcs-reactor',
    event,
  } as const;
  try {
    const { series, body } = askCompose(rule, wish.group ?? {}, [cause]);
    const asked = parseComposeRequest(body, requestDefaults(config));
    const readers = readersOfBody(body);
    const { planned } = await planAsked(
      context,
      request,
      { asked, series, readers, keep: undefined, notify: undefined },
      identity,
    );
    const last = await findLastOfSeries(context.database.kysely, series);
    const before =
      last === undefined || last.fingerprint === null
        ? undefined
        : await findManifest(context.database.kysely, last.fingerprint);
    const isSame = last?.fingerprint === planned.fingerprint;
    const link =
      last === undefined
        ? ''
        : html`<a href="${context.prefix}/console/composes/${last.id}">compose ${last.id}</a>`;
    const packages = planned.manifest.filter((line) => line.startsWith('package\t')).length;
    return previewBox(
      html`<p>
          <strong
            >${
              isSame
                ? wish.force
                  ? 'Nothing changed, and it would be composed all the same.'
                  : 'Nothing would change.'
                : 'It would be composed.'
            }</strong
          >
          ${packages} packages in series
          ${seriesLink(context, series)}${
            last === undefined ? ', which has no compose yet.' : html`, beside ${link}.`
          }
        </p>
        ${requirementWords(rule)}`,
      isSame || before === undefined ? null : diffManifests(before, planned.manifest),
    );
  } catch (error) {
    // Templates that need an event are no mistake of the service.
    const isTemplate = error instanceof ReactorError && error.code.startsWith('template.');
    const problem = isTemplate ? error : pageProblemOf(request, error, context);
    return html`<div class="notice bad" id="would" role="alert">
      <p>
        <strong
          >${isTemplate ? 'What it asks for depends on events.' : 'What would change cannot be told.'}</strong
        >
        ${problem.message} ${problem.hint ?? ''} <span class="soft small">${problem.code}</span>
      </p>
    </div>`;
  }
}

function requirementWords({ require }: Rule): Html {
  if (require.length === 0) return html``;
  return html`<p>Once this holds: ${require.map(({ check }) => check).join(', ')}.</p>`;
}

function previewBox(head: Html, diff: ManifestDiff | null): Html {
  return html`<h3 id="would">What would change</h3>
    <div class="notice">${head}</div>
    ${diff === null ? '' : changeLists(diff)}`;
}

import { html } from 'hono/html';
import { currentReader } from '../../database/readable.ts';
import { changeSubjects, type Change, type ChangeSubject } from '../../database/look-at-changes.ts';
import { mayRead, type Reader } from '../../model/readers.ts';
import type { ApiRequest, RegisterRoute } from '../context.ts';
import { encodeEvent, sendEventStream, signOfLife } from '../event-stream.ts';
import { ApiProblem } from '../problem.ts';
import { refuseUnknownKeys } from '../refuse-unknown-query.ts';
import type { Html, PageContext } from './page.ts';

const path = '/console/changes';

/** Seconds after which a live part is read again though nothing changed: spans of time grow. */
const SLOWLY = 60;

/** Returns a part of a page that its script reads again when one of the subjects has changed. */
export function livePart(
  { prefix, now }: PageContext,
  { id, subjects }: { readonly id: string; readonly subjects: readonly ChangeSubject[] },
  content: Html | readonly Html[],
): Html {
  const address = `${prefix}${path}?of=${subjects.join(',')}&since=${now.getTime()}`;
  return html`<div id="${id}" data-live="${SLOWLY}" data-changes="${address}">${content}</div>`;
}

/**
 * GET /console/changes: server-sent events `changed` that name the subjects of which something that the reader may read has
 * changed, and nothing else. Throws `request.invalid_query`, `request.unknown_query` (400), `request.too_many_streams` (503).
 */
export const registerFollowChanges: RegisterRoute = (app, context) => {
  app.get(path, (request) => {
    refuseUnknownKeys(request, ['of', 'since']);
    const { wanted, since } = readQuery(request);
    const reader = currentReader();
    return sendEventStream(context, request, ({ write, signal }) => {
      write(signOfLife);
      const leave = context.changes.follow(since, (changes) => {
        const subjects = wanted.filter((subject) =>
          changes.some((change) => change.subject === subject && mayHear(reader, change)),
        );
        if (subjects.length > 0) write(encodeEvent({ event: 'changed', data: { subjects } }));
      });
      signal.addEventListener('abort', leave);
    });
  });
};

function mayHear(reader: Reader, { private_to: told, is_embargoed: isEmbargoed }: Change): boolean {
  if (isEmbargoed && !reader.readsAll && !reader.readsEmbargoed) return false;
  return told.every((readable) => mayRead(reader, readable));
}

function readQuery(request: ApiRequest): { readonly wanted: readonly ChangeSubject[]; readonly since: Date } {
  const words = (request.req.query('of') ?? '').split(',');
  const wanted = changeSubjects.filter((subject) => words.includes(subject));
  const since = /^\d{1,15}$/.exec(request.req.query('since') ?? '')?.[0];
  if (wanted.length !== words.length || since === undefined) {
    throw new ApiProblem(
      400,
      'request.invalid_query',
      'It is not said of what and since when changes are wanted.',
      {
        hint: `"of" is some of ${changeSubjects.join(', ')}; "since" is in milliseconds since 1970.`,
      },
    );
  }
  return { wanted, since: new Date(Number(since)) };
}

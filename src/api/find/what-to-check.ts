import { findLastReceived } from '../../database/find-events.ts';
import { listEvents } from '../../database/list-events.ts';
import type { EventKind } from '../../model/event.ts';
import type { FindQuery } from '../../model/find-query.ts';
import type { ApiContext } from '../context.ts';
import { findHealth } from '../routes/health.ts';
import { distance } from '../distance.ts';

const kindsOf: Readonly<Record<FindQuery['kind'], readonly EventKind[]>> = {
  number: ['errata.status', 'mbs.module'],
  cve: ['bodhi.update'],
  advisory: ['errata.status'],
  update: ['bodhi.update'],
  module: ['mbs.module'],
  build: ['koji.tag', 'koji.build'],
  name: ['koji.tag', 'koji.build'],
};

const senders: Readonly<Partial<Record<EventKind, { readonly who: string; readonly topics: string }>>> = {
  'bodhi.update': { who: 'Bodhi', topics: 'bodhi.update.#' },
  'errata.status': { who: 'the Errata Tool', topics: 'errata.activity.status' },
  'mbs.module': { who: 'MBS', topics: 'mbs.module.state.change' },
  'koji.tag': { who: 'Koji', topics: 'buildsys.tag' },
  'koji.build': { who: 'Koji', topics: 'buildsys.build.state.change' },
};

const LATELY_MS = 86_400_000;

/**
 * Returns what to look at where nothing of something ever arrived, as sentences: whether the buses deliver, whether what
 * would tell of it comes at all, what was not understood, and how long events are kept.
 */
export async function findWhatToCheck(context: ApiContext, { kind }: FindQuery): Promise<readonly string[]> {
  const { kysely } = context.database;
  const now = context.clock.now();
  const ill = (await findHealth(context)).filter(({ isWell }) => !isWell);
  const last = await findLastReceived(kysely, kindsOf[kind]);
  const arrivals = kindsOf[kind].map((system) => {
    const { who, topics } = senders[system] ?? { who: system, topics: system };
    const at = last.get(system);
    return at === undefined
      ? `No ${system} event is kept: is the queue bound to the topics of ${who} (${topics})? Bindings are in the TOML file of the bus.`
      : `The last ${system} event came ${distance(at.getTime() - now.getTime())}, so ${who} is heard.`;
  });
  const [poison] = await listEvents(kysely, { isPoison: true }, 1);
  const isPoisoned = poison !== undefined && now.getTime() - poison.received_at.getTime() < LATELY_MS;
  return [
    ...ill.map(({ name, detail }) => `${name} is not well: ${detail}`),
    ...arrivals,
    ...(isPoisoned
      ? [
          `A message that was not understood came ${distance(poison.received_at.getTime() - now.getTime())}; it may have told of it.`,
        ]
      : []),
    `Events are kept for ${context.config.events_kept_days} days; what came before is forgotten.`,
  ];
}

import type { Database } from '../../src/database/database.ts';
import { transaction } from '../../src/database/transaction.ts';
import { createCompose } from '../../src/lifecycle/create-compose.ts';
import { placeComposeRequest, type NewComposeRequest } from '../../src/lifecycle/place-request.ts';
import { lockSeries } from '../../src/lifecycle/series-lock.ts';
import { defaultRequest } from '../default-request.ts';

/** Asks for a compose as a client does; returns its id. */
export async function givenCompose(database: Database): Promise<number> {
  const { id } = await transaction(database, (tx) =>
    createCompose(tx, {
      owner: 'tester',
      request: { ...defaultRequest, sourceType: 'tag', source: ['f44'] },
      priority: 'normal',
    }),
  );
  return id;
}

/** Asks for a compose as a rule does; returns the id of the request. */
export async function givenRequest(
  database: Database,
  series: string,
  more: Partial<NewComposeRequest> = {},
): Promise<number> {
  const { id } = await transaction(database, async (tx) => {
    await lockSeries(tx.sql, series);
    return placeComposeRequest(
      tx,
      {
        rule: 'nightly',
        series,
        body: { source: { type: 'tag', source: 'f44' } },
        priority: 'normal',
        causes: [],
        minEvent: null,
        chain: [],
        unchanged: 'skip',
        notBefore: null,
        ...more,
      },
      'queue',
    );
  });
  return id;
}

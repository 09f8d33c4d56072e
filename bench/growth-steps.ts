import { retireComposes } from '../src/composer/retire.ts';
import { forgetEvents } from '../src/composer/forget-events.ts';
import { forgetHistory } from '../src/composer/forget-history.ts';
import { findOwnAnnouncements, listOpenAnnouncements } from '../src/database/announcements.ts';
import { countRequests, readingOfSeries, seriesState } from '../src/database/compose-requests.ts';
import { findLastOfSeries } from '../src/database/composes.ts';
import { findWaitingEvents } from '../src/database/input-events.ts';
import { composeOrders } from '../src/database/list-composes.ts';
import { listReusable } from '../src/database/reusable-composes.ts';
import { listLivingGroups, rulesWithoutTag } from '../src/database/rule-groups.ts';
import { readSeries } from '../src/database/series-history.ts';
import { transaction } from '../src/database/transaction.ts';
import {
  clampWindows,
  closeDueWindows,
  earliestDue,
  findOverdueWindows,
  findUndecided,
  rulesWithOpenWindows,
} from '../src/database/windows.ts';
import { ageWaitingWork } from '../src/lifecycle/age-waiting-work.ts';
import { enqueueLostWork } from '../src/lifecycle/find-lost-work.ts';
import { createLog } from '../src/log.ts';
import { resendLostWork } from '../src/rules/resend-lost-work.ts';
import type { TestApi } from '../tests/api/open-test-api.ts';
import type { GrowthSize } from './growth-fill.ts';

/** Something a process asks of the database, again and again. */
export interface GrowthStep {
  readonly name: string;
  run(): Promise<unknown>;
}

const DAY = 86_400_000;

/** Returns every route that reads more than one row by its number. */
export function routeSteps(api: TestApi, size: GrowthSize): readonly GrowthStep[] {
  const { composes, events, windows } = size;
  const paths = [
    '/api/1/composes/',
    '/api/1/composes/?owner=nobody',
    '/api/1/composes/?owner=user7',
    '/api/1/composes/?state=done',
    '/api/1/composes/?state=removed',
    '/api/1/composes/?state=failed',
    '/api/1/composes/?source=f31',
    '/api/1/composes/?source=nothing',
    '/api/1/composes/?source_type=tag',
    '/api/1/composes/?source_type=build',
    '/api/1/composes/?compose_type=production',
    '/api/1/composes/?label=RC-1.0',
    '/api/1/composes/?label=nothing',
    '/api/1/composes/?series=nightly-3',
    '/api/1/composes/?series=nothing',
    `/api/1/composes/?pungi_compose_id=odcs-${Math.round(composes / 2)}-1-20260101.t.0`,
    ...composeOrders.flatMap((order) => [
      `/api/1/composes/?order_by=${order}`,
      `/api/1/composes/?order_by=-${order}`,
    ]),
    `/api/1/composes/?page=${Math.round((composes * 0.9) / 10)}`,
    `/api/1/composes/${composes}`,
    `/api/1/composes/${composes}/why`,
    '/api/1/series/',
    '/api/1/decisions',
    `/api/1/decisions?event=${events}`,
    `/api/1/decisions?event=${Math.round(events / 20) * 20}`,
    `/api/1/decisions?window=${Math.round(windows / 2)}`,
    `/api/1/decisions?compose=${Math.round(composes / 3)}`,
    '/api/1/decisions?rule=nightly-3',
    '/api/1/decisions?rule=nothing',
    '/api/1/decisions?outcome=composed',
    '/api/1/decisions?outcome=failed',
    '/api/1/decisions?outcome=failed&rule=nightly-3',
    '/api/1/events',
    '/api/1/events?kind=koji.tag',
    '/api/1/events?kind=poison',
    '/api/1/events?kind=nothing',
    '/api/1/events?topic=buildsys.3',
    '/api/1/events?topic=nothing',
    '/api/1/events?bus=umb',
    '/api/1/events?instance=nothing',
    `/api/1/events?before=${Math.round(events / 2)}&topic=buildsys.3`,
    `/api/1/events/${events - 1}`,
    '/api/1/rules/',
    '/api/1/metrics/',
    '/api/1/health',
    '/',
    '/console/composes',
    '/console/events',
    `/console/events/${events - 1}`,
    `/console/composes/${composes}`,
    '/console/rules',
    '/find?q=pkg-7',
    '/find?q=pkg-7-1.2.3-4.fc44',
    '/find?q=f31-updates-candidate',
    '/find?q=CVE-2026-1234',
    '/find?q=nightly-3',
    '/find?q=4711',
  ];
  return paths.map((path) => ({
    name: `GET ${path}`,
    async run() {
      const { status, text } = await api.call('GET', path, {
        headers: { accept: path.startsWith('/api') ? 'application/json' : 'text/html' },
      });
      if (status !== 200) throw new Error(`GET ${path}: ${status} ${text}`);
    },
  }));
}

/** Returns what the loops of all roles ask. */
export function loopSteps(api: TestApi, size: GrowthSize): readonly GrowthStep[] {
  const { database } = api;
  const { kysely } = database;
  const log = createLog('silent');
  const storage = { isOurs: async () => true, trouble: async () => null };
  const now = (): Date => api.now;
  const signal = new AbortController().signal;
  const kept = { events: 30, announcements: 30, decisions: 365, ruleGroups: 90, ruleSets: 180 };
  const series = 'nightly-3';
  const body = { source: { type: 'tag', source: 'nothing' } };
  return [
    {
      name: 'janitor: retireComposes',
      run: () =>
        retireComposes({
          database,
          log,
          storage,
          targetDirs: { default: api.targetDir },
          targetDirUrls: { default: 'http://odcs.example.com/composes', extra: {} },
        }),
    },
    { name: 'janitor: enqueueLostWork', run: () => enqueueLostWork(database) },
    { name: 'janitor: forgetEvents', run: () => forgetEvents({ database, log }, 30, signal) },
    { name: 'janitor: forgetHistory', run: () => forgetHistory({ database, log }, kept, signal) },
    {
      name: 'rules: ageWaitingWork',
      run: () => ageWaitingWork(database, new Date(now().getTime() - 60_000)),
    },
    { name: 'rules: resendLostWork', run: () => resendLostWork(database) },
    { name: 'rules: rulesWithoutTag', run: () => rulesWithoutTag(kysely) },
    { name: 'rules: rulesWithOpenWindows', run: () => rulesWithOpenWindows(kysely) },
    {
      name: 'rules: listLivingGroups',
      run: () => listLivingGroups(kysely, 'nightly-35', { since: new Date(0), limit: 100 }),
    },
    { name: 'rules: readingOfSeries', run: () => readingOfSeries(kysely, series, null) },
    { name: 'rules: seriesState', run: () => seriesState(kysely, series) },
    {
      name: 'rules: countRequests',
      run: () =>
        transaction(database, (tx) => countRequests(tx.sql, series, new Date(now().getTime() - DAY))),
    },
    {
      name: 'rules: readSeries',
      run: () =>
        transaction(database, (tx) =>
          readSeries(tx.sql, { series, body, receivedAt: new Date(now().getTime() - 60_000) }),
        ),
    },
    {
      name: 'rules: findWaitingEvents',
      run: () =>
        findWaitingEvents(kysely, { stage: 'match', from: new Date(now().getTime() - DAY), to: now() }, 1000),
    },
    { name: 'rules: findUndecided', run: () => findUndecided(kysely, now(), 1000) },
    { name: 'closer: clampWindows', run: () => clampWindows(kysely, now()) },
    { name: 'closer: findOverdueWindows', run: () => findOverdueWindows(kysely, now(), 500) },
    { name: 'closer: earliestDue', run: () => earliestDue(kysely) },
    { name: 'closer: closeDueWindows', run: () => transaction(database, (tx) => closeDueWindows(tx, 20)) },
    {
      name: 'announcer: listOpenAnnouncements',
      run: () => listOpenAnnouncements(kysely, { afterId: 0, limit: 100, buses: ['umb'] }),
    },
    { name: 'listener: findOwnAnnouncements', run: () => findOwnAnnouncements(kysely, ['a', 'b', 'c']) },
    {
      name: 'composer: listReusable',
      run: () =>
        listReusable(kysely, {
          fingerprint: 'f',
          targetDir: 'default',
          exceptId: size.composes,
          readers: null,
          owner: 'o',
          now: now(),
        }),
    },
    { name: 'composer: findLastOfSeries', run: () => findLastOfSeries(kysely, series) },
  ];
}

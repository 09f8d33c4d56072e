import type { Attack } from '../attack.ts';

const topics = [
  'org.fedoraproject.prod.buildsys.tag',
  'org.fedoraproject.prod.buildsys.build.state.change',
  'org.fedoraproject.prod.buildsys.task.state.change',
  'org.fedoraproject.prod.buildsys.repo.done',
  'org.fedoraproject.prod.mbs.module.state.change',
  'org.fedoraproject.prod.bodhi.update.complete.stable',
  'odcs.compose.state-changed',
  'repo.changed',
  'errata.activity.status',
  '__proto__',
  '\u0000',
  '../../a',
] as const;

/** Messages over the webhook. */
export const hostileMessages: Attack = {
  name: 'hostile-messages',
  faults: ['A8'],
  does: 'Sends crowds of events of one group, absurd dates, deep bodies, wrong types and markup.',
  async run(context) {
    const { random, isShort } = context;
    const send = (message: unknown, headers: Record<string, string> = {}): Promise<unknown> =>
      context.ask('POST', '/api/1/events', { body: JSON.stringify(message), headers });
    const dates = [
      '0000-01-01',
      '+275760-09-13T00:00:00Z',
      '-271821-04-20T00:00:00Z',
      '9999-12-31T23:59:60Z',
      '',
      'NaN',
      1e300,
      null,
    ];
    const values = [
      null,
      true,
      -1,
      1e308,
      '',
      '\u0000',
      '\ud800',
      [],
      {},
      'a'.repeat(100_000),
      '<script>alert(1)</script>',
      '${event.repo}',
    ];
    for (const topic of topics) {
      if (context.signal.aborted) return;
      const body: Record<string, unknown> = {};
      for (const key of [
        'repo',
        'tag',
        'tag_id',
        'name',
        'version',
        'release',
        'build_id',
        'new',
        'old',
        'state',
        'update',
        'errata_id',
        'compose',
        'owner',
        'instance',
        'id',
      ]) {
        body[key] = values[random.below(values.length)];
      }
      await send({ topic, body });
      await send({
        topic,
        body: { repo: '/a', msg: JSON.parse(`${'['.repeat(2_000)}${']'.repeat(2_000)}`) },
      });
      for (const date of dates) await send({ topic: 'repo.changed', body: { repo: '/a' }, sent_at: date });
      if (isShort && random.below(2) === 0) continue;
      await send({
        topic,
        body: { repo: '<script>alert(1)</script>' },
        headers: { __proto__: 1, 'x-received-from': [[]] },
      });
    }
    const crowd = isShort ? 200 : 1_500;
    const repo = `/crowd/${random.below(1e6)}`;
    const senders = Array.from({ length: 12 }, async (_, sender) => {
      for (let at = sender; at < crowd && !context.signal.aborted; at += 12) {
        await send({ topic: 'repo.changed', body: { repo, revision: String(at) } });
      }
    });
    await Promise.all(senders);
    for (const path of ['/console/events', '/api/1/events?per_page=100', '/console/rules/crowd']) {
      const answer = await context.ask('GET', path);
      if (path.startsWith('/console') && answer?.text.includes('<script>alert(1)') === true) {
        context.report('escaped', `${path} shows markup of a message as it is`);
      }
    }
  },
};

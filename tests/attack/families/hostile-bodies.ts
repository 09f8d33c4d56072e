import { connect } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import type { Attack, AttackContext } from '../attack.ts';

const MEGABYTE = 2 ** 20;
const MOST_TAKEN = 32 * MEGABYTE;

/** Sends a body of `most` bytes and returns how many were taken before there was an answer. */
async function sendHuge(context: AttackContext, path: string, type: string, most: number): Promise<number> {
  const { hostname, port } = new URL(context.url);
  const socket = connect(Number(port), hostname);
  const chunk = Buffer.alloc(256 * 1024, 'a');
  const over = new AbortController();
  const end = (): void => over.abort();
  socket.on('error', end);
  socket.on('close', end);
  socket.on('data', end);
  socket.write(
    `POST ${path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: ${type}\r\nContent-Length: ${most}\r\n\r\nreason=`,
  );
  let stalled = 0;
  while (!over.signal.aborted && socket.bytesWritten < most && !context.signal.aborted) {
    if (socket.writableLength < MEGABYTE) {
      socket.write(chunk);
      stalled = 0;
    } else {
      stalled += 1;
      if (stalled > 500) break;
    }
    await pause(stalled === 0 ? 0 : 10);
  }
  const taken = socket.bytesWritten - socket.writableLength;
  socket.destroy();
  context.count();
  return taken;
}

/** Bodies of requests that are too large, too deep, too many or no JSON at all. */
export const hostileBodies: Attack = {
  name: 'hostile-bodies',
  faults: ['A5', 'A13'],
  does: 'Sends bodies that are huge, deep, damaged or full of words with a meaning, and as slow as can be.',
  async run(context) {
    const { random, isShort, goodRepository: source } = context;
    const deep = (depth: number): string => `${'['.repeat(depth)}${']'.repeat(depth)}`;
    const text = (value: unknown): string => JSON.stringify(value);
    const repo = { type: 'repo', source, packages: ['curl'] };
    const bodies: (string | Buffer)[] = [
      deep(100_000),
      `{"source":${'{"a":'.repeat(50_000)}1${'}'.repeat(50_000)}}`,
      text({ source: repo, arches: [[['x86_64']]] }),
      text({ source: { ...repo, packages: [deep(10)] }, arches: JSON.parse(deep(500)) }),
      text({ source: repo, arches: { length: 1, 0: 'x86_64' } }),
      '{"source":{"type":"repo","source":"/a"},"seconds_to_live":1e999}',
      '{"__proto__":{"isAdmin":true},"constructor":{"prototype":{"a":1}},"source":{"type":"repo","source":"/a"}}',
      text({ source: { type: 'repo', source: `/a\u0000b` } }),
      text({ source: { ...repo, packages: ['\ud800'] } }),
      text({ source: { ...repo, packages: [`${'*a'.repeat(40)}b`] } }),
      text({ source: { ...repo, packages: [`${'[a-'.repeat(500)}`, '{'.repeat(500), '?'.repeat(500)] } }),
      text({
        source: repo,
        lookaside_repos: Array.from({ length: isShort ? 20 : 2_000 }, (_, at) => `${source}/${at}`),
      }),
      text({ source: repo, flags: Array<string>(50_000).fill('no_deps') }),
      text({ source: { type: 'tag', source: "'; drop table composes; --", packages: ['a'] } }),
      text({ source: { type: 'build', builds: Array<string>(5_000).fill('a-1-1') } }),
      Buffer.from([0xff, 0xfe, 0x7b, 0x00]),
      '',
      'null',
      '[]',
      '"a"',
      `${' '.repeat(MEGABYTE)}{}`,
    ];
    for (const path of [
      '/api/1/composes/',
      '/odcs/1/composes/',
      `/api/1/composes/${context.victim}`,
      '/api/1/events',
    ]) {
      const method = path.endsWith(String(context.victim)) ? 'PATCH' : 'POST';
      for (const body of isShort ? bodies.filter(() => random.below(3) === 0) : bodies) {
        if (context.signal.aborted) return;
        const answer = await context.ask(method, path, { body });
        const id = answer?.status === 200 ? /"id":\s?(\d+)/.exec(answer.text)?.[1] : undefined;
        if (id !== undefined && Number(id) !== context.victim)
          await context.ask('DELETE', `/api/1/composes/${id}`);
      }
    }
    const queries = [
      '/api/1/events?topic=%00',
      '/api/1/events?after=1e400',
      '/api/1/events?after=99999999999999999999999',
      '/api/1/events?kind=%00&instance=%ff',
      '/api/1/composes/?order_by=id%3Bdrop',
      '/api/1/composes/?owner=%00&per_page=-1&page=99999999999999999',
      '/api/1/composes/?state=__proto__&source_type=constructor',
      '/api/1/composes/99999999999999999999',
      '/api/1/composes/-1',
      '/api/1/composes/1%00',
      '/api/1/composes/1/manifest?since=%00',
      '/api/1/decisions?rule=%00&compose=NaN',
      '/api/1/decisions?before=99999999999999999999',
      '/console/composes?owner=%00',
      '/console/events?topic=%00&before=1e99',
      '/console/rules/%00',
      '/console/rules/__proto__',
      '/api/1/rules/%ff',
      '/api/1/rules/crowd/explain?event=99999999999999999999',
      `/api/1/events/stream?after=${'9'.repeat(400)}`,
    ];
    for (const path of queries) {
      if (context.signal.aborted) return;
      await context.ask('GET', path, { patience: 5_000 });
    }
    const form = 'application/x-www-form-urlencoded';
    const targets = [
      ['/console/rules/crowd/pause', form],
      ['/api/1/rules/crowd/pause', 'application/json'],
      ['/api/1/composes/', 'application/json'],
      ['/api/1/events', 'application/json'],
      ['/api/1/rules/crowd/backtest', 'application/json'],
    ] as const;
    for (const [path, type] of isShort ? targets.slice(0, 1) : targets) {
      if (context.signal.aborted) return;
      const taken = await sendHuge(context, path, type, (isShort ? 80 : 200) * MEGABYTE);
      if (taken > MOST_TAKEN) {
        context.report('overLimit', `POST ${path} took ${(taken / MEGABYTE).toFixed(0)} MiB of a body`);
      }
    }
  },
};

import { get, type ClientRequest } from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';
import type { Attack } from '../attack.ts';

/** Share of one processor that readers of nothing may cost. */
const MOST_SHARE = 0.25;

/** Readers of streams, who cost nothing to make. */
export const manyReaders: Attack = {
  name: 'many-readers',
  faults: ['A6'],
  does: 'Holds hundreds of event streams open and looks what that costs while nothing happens.',
  async run(context) {
    const count = context.isShort ? 150 : 500;
    const paths = ['/api/1/events/stream', `/api/1/composes/${context.victim}/events`];
    const seconds = context.isShort ? 4 : 8;
    const open: ClientRequest[] = [];
    for (let index = 0; index < count; index += 1) {
      const path = index % 10 === 9 ? (paths[1] ?? '') : (paths[0] ?? '');
      const request = get(`${context.url}${path}`, { agent: false }, (response) => response.resume());
      request.on('error', () => undefined);
      open.push(request);
    }
    context.count(count);
    try {
      await pause(1_500, undefined, { signal: context.signal });
      const before = context.processorSeconds();
      const start = performance.now();
      await pause(seconds * 1000, undefined, { signal: context.signal });
      const share =
        ((context.processorSeconds() ?? 0) - (before ?? 0)) / ((performance.now() - start) / 1000);
      if (before !== null && share > MOST_SHARE) {
        context.report(
          'overLimit',
          `${count} readers of a stream without events cost ${share.toFixed(2)} processors`,
        );
      }
      await context.ask('GET', '/api/1/composes/?per_page=1');
    } catch (error) {
      if (!context.signal.aborted) throw error;
    } finally {
      for (const request of open) request.destroy();
    }
  },
};

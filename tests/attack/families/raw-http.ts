import { connect, type Socket } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import type { Attack } from '../attack.ts';
import { sendRaw, statusOf } from '../raw-request.ts';

/** HTTP as no client speaks it. */
export const rawHttp: Attack = {
  name: 'raw-http',
  faults: ['A13'],
  does: 'Sends smuggled, doubled and endless headers, odd methods, slow headers and slow bodies.',
  async run(context) {
    const host = 'Host: localhost\r\n';
    const inner = `DELETE /api/1/composes/${context.victim} HTTP/1.1\r\n${host}\r\n`;
    const requests = [
      `POST /api/1/composes/ HTTP/1.1\r\n${host}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n${inner}`,
      `POST /api/1/composes/ HTTP/1.1\r\n${host}Content-Length: 2\r\nContent-Length: 80\r\n\r\n{}${inner}`,
      `POST /api/1/composes/ HTTP/1.1\r\n${host}Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n${inner}`,
      `POST /api/1/composes/ HTTP/1.1\r\n${host}Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n${inner}`,
      `POST /api/1/composes/ HTTP/1.1\r\n${host}Transfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\n{}`,
      `GET /healthz HTTP/1.1\r\n${host}X: ${'a'.repeat(40_000)}\r\n\r\n`,
      `GET /healthz HTTP/1.1\r\n${host}${Array.from({ length: 3_000 }, (_, at) => `X-${at}: a\r\n`).join('')}\r\n`,
      `GET /${'a'.repeat(100_000)} HTTP/1.1\r\n${host}\r\n`,
      `GET /healthz HTTP/1.1\r\n${host}${host}\r\n`,
      `GET http://other.invalid/api/1/composes/ HTTP/1.1\r\n${host}\r\n`,
      `GET /api/1/composes/ HTTP/1.1\r\nHost: other.invalid\r\n\r\n`,
      `GET /api/1/composes/ HTTP/1.1\r\nHost: a b\r\n\r\n`,
      `GET //api//1/composes/ HTTP/1.1\r\nHost: [::1\r\n\r\n`,
      'GET /healthz HTTP/1.0\r\n\r\n',
      `TRACE / HTTP/1.1\r\n${host}\r\n`,
      `CONNECT 127.0.0.9:1 HTTP/1.1\r\n${host}\r\n`,
      `OPTIONS * HTTP/1.1\r\n${host}\r\n`,
      `GET /api/1/composes/ HTTP/1.1\r\n${host}Upgrade: websocket\r\nConnection: Upgrade\r\n\r\n`,
      `PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n`,
      Buffer.from([0x16, 0x03, 0x01, 0x02, 0x00, 0x01, 0x00]),
      Buffer.alloc(10_000, 0xff),
      `POST /api/1/composes/ HTTP/1.1\r\n${host}Expect: 100-continue\r\nContent-Length: 100000000000\r\n\r\n`,
    ];
    for (const bytes of requests) {
      if (context.signal.aborted) return;
      const text = await sendRaw(context.url, bytes, 3_000);
      context.count();
      const line = String(bytes).slice(0, 60).split('\r\n')[0];
      const status = statusOf(text);
      if (status >= 500 && status !== 503 && status !== 501 && status !== 505) {
        context.report('serverErrors', `${line ?? ''} answers ${status}`);
      }
      if (text.split('HTTP/1.1 ').some((answer, at) => at > 1 && answer.startsWith('202'))) {
        context.report('escaped', `${line ?? ''} smuggled a DELETE`);
      }
    }
    const sockets: Socket[] = [];
    const { hostname, port } = new URL(context.url);
    const count = context.isShort ? 100 : 400;
    for (let index = 0; index < count; index += 1) {
      const socket = connect(Number(port), hostname);
      socket.on('error', () => undefined);
      socket.write(
        index % 2 === 0
          ? `GET /healthz HTTP/1.1\r\n${host}X-Slow:`
          : `POST /api/1/composes/ HTTP/1.1\r\n${host}Content-Length: 1000\r\n\r\n{`,
      );
      sockets.push(socket);
    }
    context.count(count);
    for (let second = 0; second < 3 && !context.signal.aborted; second += 1) {
      for (const socket of sockets) if (!socket.destroyed) socket.write('a');
      await context.ask('GET', '/api/1/composes/?per_page=1');
      await pause(500);
    }
    for (const socket of sockets) socket.destroy();
  },
};

import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { request as requestHttp } from 'node:http';
import { createServer } from 'node:https';
import { join } from 'node:path';

/** A certificate for the loopback address from an authority of its own, made in a directory by openssl. */
export interface Certificate {
  /** Path of the authority's PEM. */
  readonly authority: string;
  readonly key: string;
  readonly certificate: string;
}

/** Makes an authority and a certificate for 127.0.0.1. */
export function makeCertificate(folder: string): Certificate {
  const at = (name: string): string => join(folder, name);
  const fresh = 'req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2';
  for (const what of [
    '-keyout ca.key -out ca.pem -subj /CN=authority',
    '-keyout server.key -out server.pem -subj /CN=127.0.0.1 -CA ca.pem -CAkey ca.key' +
      ' -addext subjectAltName=IP:127.0.0.1 -addext basicConstraints=critical,CA:FALSE',
  ]) {
    execFileSync('openssl', `${fresh} ${what}`.split(' '), { cwd: folder, stdio: 'pipe' });
  }
  return { authority: at('ca.pem'), key: at('server.key'), certificate: at('server.pem') };
}

/** Serves over HTTPS on a free port what an HTTP server answers. */
export async function startTlsFront(
  target: string,
  certificate: Certificate,
): Promise<{ readonly url: string; readonly close: () => void }> {
  const server = createServer(
    { key: readFileSync(certificate.key), cert: readFileSync(certificate.certificate) },
    (incoming, response) => {
      const { method, headers, url } = incoming;
      const passed = requestHttp(new URL(url ?? '', target), { method, headers });
      passed.on('response', (answer) => {
        response.writeHead(answer.statusCode ?? 500, answer.headers);
        answer.pipe(response);
      });
      passed.on('error', () => response.destroy());
      incoming.pipe(passed);
    },
  );
  const port = await new Promise<number>((resolve) => {
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      resolve(typeof address === 'object' && address !== null ? address.port : 0);
    });
  });
  return {
    url: `https://127.0.0.1:${port}${new URL(target).pathname.replace(/\/$/, '')}`,
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}

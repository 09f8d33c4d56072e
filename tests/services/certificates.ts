import { execFileSync } from 'node:child_process';
import { join } from 'node:path';

/** Paths of PEM files: an authority, a server called `localhost`, and a client. */
export interface Certificates {
  readonly authority: string;
  readonly server: { readonly certificate: string; readonly key: string };
  readonly client: { readonly certificate: string; readonly key: string };
  /** Of a client of the same name that another authority vouches for. */
  readonly stranger: { readonly certificate: string; readonly key: string };
}

/** Makes them in a directory with openssl; `client` is the common name of the client. */
export function makeCertificates(folder: string, client: string): Certificates {
  const fresh = 'req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2';
  const leaf = '-addext basicConstraints=critical,CA:FALSE';
  for (const what of [
    '-keyout ca.key -out ca.pem -subj /CN=authority',
    '-keyout other.key -out other.pem -subj /CN=other',
    `-keyout server.key -out server.pem -subj /CN=localhost -CA ca.pem -CAkey ca.key -addext subjectAltName=DNS:localhost ${leaf}`,
    `-keyout client.key -out client.pem -subj /CN=${client} -CA ca.pem -CAkey ca.key ${leaf}`,
    `-keyout stranger.key -out stranger.pem -subj /CN=${client} -CA other.pem -CAkey other.key ${leaf}`,
  ]) {
    execFileSync('openssl', `${fresh} ${what}`.split(' '), { cwd: folder, stdio: 'pipe' });
  }
  const pair = (name: string) => ({
    certificate: join(folder, `${name}.pem`),
    key: join(folder, `${name}.key`),
  });
  return {
    authority: join(folder, 'ca.pem'),
    server: pair('server'),
    client: pair('client'),
    stranger: pair('stranger'),
  };
}

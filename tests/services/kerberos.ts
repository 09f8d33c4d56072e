import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { Certificate } from '../upstream/koji/tls-front.ts';

/** The Debian packages of a KDC, and of a web server that takes tickets. */
export const KERBEROS_PACKAGES = [
  'krb5-kdc',
  'krb5-admin-server',
  'krb5-user',
  'apache2',
  'libapache2-mod-auth-gssapi',
  'curl',
] as const;

const REALM = 'TEST.EXAMPLE';

/** A KDC of MIT Kerberos. */
export interface Kdc extends AsyncDisposable {
  /** Path of the `krb5.conf` of those who use it. */
  readonly config: string;
  readonly realm: string;
  readonly folder: string;
  /** Makes a principal with keys, and returns the path of a keytab of them. */
  readonly addPrincipal: (principal: string) => string;
  /** Gives a principal other keys, which its keytab does not have. */
  readonly changeKeys: (principal: string) => void;
  readonly stop: () => Promise<void>;
}

/** Starts one, with no principals. */
export async function startKdc(): Promise<Kdc> {
  const folder = mkdtempSync(join(tmpdir(), 'kdc-'));
  // The web server gives up its rights before it reads its keytab.
  chmodSync(folder, 0o755);
  const at = (name: string): string => join(folder, name);
  const port = await findPort();
  const config = at('krb5.conf');
  writeFileSync(
    config,
    `[libdefaults]
default_realm = ${REALM}
dns_lookup_kdc = false
dns_canonicalize_hostname = false
rdns = false
[realms]
${REALM} = {
  kdc = 127.0.0.1:${port}
}
`,
  );
  writeFileSync(
    at('kdc.conf'),
    `[kdcdefaults]
kdc_listen = 127.0.0.1:${port}
kdc_tcp_listen = 127.0.0.1:${port}
[realms]
${REALM} = {
  database_name = ${at('principals')}
  key_stash_file = ${at('stash')}
  acl_file = ${at('acl')}
}
`,
  );
  const env = {
    PATH: '/usr/sbin:/usr/bin:/sbin:/bin',
    KRB5_CONFIG: config,
    KRB5_KDC_PROFILE: at('kdc.conf'),
  };
  const run = (program: string, ...words: string[]): void =>
    void execFileSync(program, words, { env, stdio: 'pipe' });
  run('kdb5_util', 'create', '-s', '-P', 'not told', '-r', REALM);
  const child = spawn('krb5kdc', ['-n'], { env, stdio: 'ignore' });
  await untilOpen(port, child);
  let count = 0;
  return {
    config,
    realm: REALM,
    folder,
    addPrincipal(principal) {
      const keytab = at(`keytab-${(count += 1)}`);
      run('kadmin.local', '-q', `addprinc -randkey ${principal}`);
      run('kadmin.local', '-q', `ktadd -k ${keytab} ${principal}`);
      chmodSync(keytab, 0o644);
      return keytab;
    },
    changeKeys: (principal) => run('kadmin.local', '-q', `change_password -randkey ${principal}`),
    stop: () => end(child),
    async [Symbol.asyncDispose]() {
      await end(child);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** A web server in front of a hub that lets users in by Kerberos, as those in front of Koji hubs do. */
export interface NegotiatingFront extends AsyncDisposable {
  /** Of the hub. */
  readonly url: string;
}

/**
 * Starts Apache in front of a hub on HTTP, which is told the user of a login in the header `X-Remote-User`; principals
 * that begin with `stranger` are kept out.
 */
export async function startNegotiatingFront(
  hub: string,
  { kdc, certificate }: { readonly kdc: Kdc; readonly certificate: Certificate },
): Promise<NegotiatingFront> {
  const keytab = kdc.addPrincipal('HTTP/127.0.0.1');
  const folder = join(kdc.folder, 'apache');
  mkdirSync(folder);
  const port = await findPort();
  const modules = ['mpm_event', 'authn_core', 'authz_core', 'authz_user', 'auth_gssapi', 'headers', 'proxy'];
  const config = join(folder, 'apache.conf');
  writeFileSync(
    config,
    `ServerRoot ${folder}
ServerName 127.0.0.1
PidFile ${join(folder, 'pid')}
ErrorLog ${join(folder, 'errors')}
DefaultRuntimeDir ${folder}
Listen 127.0.0.1:${port}
${[...modules, 'proxy_http', 'ssl'].map((name) => `LoadModule ${name}_module /usr/lib/apache2/modules/mod_${name}.so`).join('\n')}
User www-data
Group www-data
SSLEngine on
SSLCertificateFile ${certificate.certificate}
SSLCertificateKeyFile ${certificate.key}
RequestHeader unset X-Remote-User
ProxyPass /kojihub ${hub}
<Location /kojihub/ssllogin>
  AuthType GSSAPI
  GssapiCredStore keytab:${keytab}
  Require expr "%{REMOTE_USER} !~ /^stranger/ && %{REMOTE_USER} != ''"
  RequestHeader set X-Remote-User "expr=%{REMOTE_USER}"
</Location>
`,
  );
  const child = spawn('/usr/sbin/apache2', ['-f', config, '-D', 'FOREGROUND'], {
    env: { PATH: '/usr/sbin:/usr/bin', KRB5_CONFIG: kdc.config },
    stdio: 'inherit',
  });
  await untilOpen(port, child);
  return {
    url: `https://127.0.0.1:${port}/kojihub`,
    [Symbol.asyncDispose]: () => end(child),
  };
}

async function findPort(): Promise<number> {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}

async function untilOpen(port: number, child: ChildProcess): Promise<void> {
  while (!(await isOpen(port))) {
    if (child.pid === undefined || child.exitCode !== null) throw new Error(`nothing listens on ${port}`);
    await pause(20);
  }
}

function isOpen(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, 'exit');
  child.kill();
  await ended;
}

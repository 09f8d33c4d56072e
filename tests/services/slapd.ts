import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { makeCertificates, type Certificates } from './certificates.ts';

export interface Slapd extends AsyncDisposable {
  readonly url: string;
  readonly secureUrl: string;
  readonly certificates: Certificates;
  readonly login: { readonly dn: string; readonly password: string };
  /** Ends the server; `start` brings it back on the same ports. */
  readonly stop: () => Promise<void>;
  readonly start: () => Promise<void>;
}

const suffix = 'dc=example,dc=com';
export const groupBase = `ou=groups,${suffix}`;

/** A real OpenLDAP server: groups `releng`, `Größe` and `releng interns` of kim; searching needs the login. */
export async function startSlapd(): Promise<Slapd> {
  const folder = mkdtempSync(join(tmpdir(), 'odcs-slapd-'));
  const certificates = makeCertificates(folder, 'kim');
  const login = { dn: `cn=odcs,${suffix}`, password: 'not told' };
  mkdirSync(join(folder, 'data'));
  const config = join(folder, 'slapd.conf');
  writeFileSync(
    config,
    `include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/nis.schema
modulepath /usr/lib/ldap
moduleload back_mdb
TLSCACertificateFile ${certificates.authority}
TLSCertificateFile ${certificates.server.certificate}
TLSCertificateKeyFile ${certificates.server.key}
database mdb
suffix "${suffix}"
rootdn "${login.dn}"
rootpw "${login.password}"
directory ${join(folder, 'data')}
access to * by anonymous auth by * none
`,
  );
  const group = (name: string, number: number, members: readonly string[]): string =>
    [
      `dn:: ${Buffer.from(`cn=${name},${groupBase}`).toString('base64')}`,
      'objectClass: posixGroup',
      `cn:: ${Buffer.from(name).toString('base64')}`,
      `gidNumber: ${number}`,
      ...members.map((member) => `memberUid: ${member}`),
    ].join('\n');
  const entries = [
    `dn: ${suffix}\nobjectClass: dcObject\nobjectClass: organization\ndc: example\no: example`,
    `dn: ${groupBase}\nobjectClass: organizationalUnit\nou: groups`,
    group('releng', 1, ['kim', 'lee']),
    group('Größe', 2, ['kim']),
    group('releng interns', 3, ['kim']),
    group('others', 4, ['lee', 'k*m', '*)(cn=*']),
  ];
  writeFileSync(join(folder, 'entries.ldif'), `${entries.join('\n\n')}\n`);
  execFileSync('/usr/sbin/slapadd', ['-f', config, '-l', join(folder, 'entries.ldif')], { stdio: 'pipe' });
  const [plain, secure] = [20_000 + (process.pid % 9_000) * 2, 20_001 + (process.pid % 9_000) * 2];
  const url = `ldap://localhost:${plain}`;
  const secureUrl = `ldaps://localhost:${secure}`;
  let child: ReturnType<typeof spawn> | undefined;
  const start = async (): Promise<void> => {
    child = spawn('/usr/sbin/slapd', ['-f', config, '-h', `${url}/ ${secureUrl}/`, '-d', '0'], {
      stdio: 'ignore',
    });
    while (!(await isOpen(plain))) await pause(50);
  };
  const stop = async (): Promise<void> => {
    if (child === undefined || child.exitCode !== null) return;
    const ended = once(child, 'exit');
    child.kill();
    await ended;
  };
  await start();
  return {
    url,
    secureUrl,
    certificates,
    login,
    start,
    stop,
    async [Symbol.asyncDispose]() {
      await stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function isOpen(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, 'localhost', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}

import { execFile } from 'node:child_process';
import { access, constants, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { messageOf, ReactorError } from '../../model/errors.ts';
import { readWholeAnswer, refusalOf } from './hub-transport.ts';
import type { XmlRpcAnswer } from './xml-rpc-read.ts';

/** Whom the service is for Kerberos, and by which keys it says so. */
export interface KerberosLogin {
  /** Path of a keytab. */
  readonly keytab: string;
  /** A principal that the keytab has keys of. */
  readonly principal: string;
}

/** A call that is posted by who has a ticket. */
export interface NegotiatedCall extends KerberosLogin {
  readonly url: URL;
  readonly body: string;
  /** PEM of the authorities that the server's certificate may come from; the system's own where absent. */
  readonly authorities?: string;
  readonly signal: AbortSignal | undefined;
}

const LONGEST_SECONDS = 120;
const MOST_BYTES = 1_048_576;
/** What `curl` writes before the status; nothing of XML-RPC ends so. */
const STATUS_MARK = '\nHTTP status ';

/**
 * Posts a call with the ticket that a keytab brings, by HTTP's Negotiate, and returns the answer. The ticket is forgotten
 * with the call. It takes the programs `kinit` and `curl`: GSSAPI is a library of the system. Throws
 * `koji.login_unreadable`, `koji.login_program_missing`, `koji.kerberos_refused`, `koji.kerberos_unreachable`,
 * `koji.hub_unreachable`, `koji.hub_unavailable`, `koji.hub_refused`, `koji.answer_malformed`, and the reason of the signal.
 * Source: Koji's client, `gssapi_login`; RFC 4559.
 */
export async function postNegotiated(call: NegotiatedCall): Promise<XmlRpcAnswer> {
  await checkReadable(call.keytab);
  const directory = await mkdtemp(join(tmpdir(), 'odcs-kerberos-'));
  try {
    const run = { directory, signal: call.signal };
    await takeTicket(run, call);
    const said = await post(run, call);
    const at = said.lastIndexOf(STATUS_MARK);
    const body = said.subarray(0, at);
    const status = Number(said.toString('latin1', at + STATUS_MARK.length));
    const where = `${call.url.origin}${call.url.pathname} sslLogin`;
    if (status !== 200) throw refusalOf({ status, body: body.toString('utf8'), isFromHub: false }, where);
    return readWholeAnswer(body, where);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

async function checkReadable(keytab: string): Promise<void> {
  try {
    await access(keytab, constants.R_OK);
  } catch (cause) {
    throw new ReactorError('koji.login_unreadable', 'The keytab for Koji cannot be read.', {
      where: keytab,
      hint: 'Look at koji_login_keytab: whether it is there, and whether the service may read it.',
      fate: 'halt',
      cause,
    });
  }
}

interface Run {
  /** Of this call alone; the ticket lies in it. */
  readonly directory: string;
  readonly signal: AbortSignal | undefined;
}

async function takeTicket(run: Run, { keytab, principal }: KerberosLogin): Promise<void> {
  const { isFine, complaint } = await runProgram(run, 'kinit', ['-k', '-t', keytab, principal]);
  if (isFine) return;
  const isAway = /cannot (?:contact|resolve|find)[^\n]* KDC/i.test(complaint);
  if (isAway) {
    throw new ReactorError('koji.kerberos_unreachable', `Kerberos cannot be reached: ${complaint}`, {
      where: principal,
      hint: 'Look whether /etc/krb5.conf names the KDC of the realm, and whether it can be reached from here.',
      fate: 'retry',
    });
  }
  throw new ReactorError('koji.kerberos_refused', `Kerberos gives the service no ticket: ${complaint}`, {
    where: principal,
    hint: 'Look at koji_login_principal, and with klist -k whether koji_login_keytab has its newest key.',
  });
}

async function post(run: Run, { url, body, authorities }: NegotiatedCall): Promise<Buffer> {
  const at = (name: string): string => join(run.directory, name);
  await writeFile(at('call.xml'), body);
  if (authorities !== undefined) await writeFile(at('authorities.pem'), authorities);
  const { isFine, complaint, output } = await runProgram(run, 'curl', [
    '-sS',
    '--max-time',
    String(LONGEST_SECONDS),
    '--negotiate',
    '-u',
    ':',
    ...(authorities === undefined ? [] : ['--cacert', at('authorities.pem')]),
    '-A',
    'odcs-reactor',
    '-H',
    'Content-Type: text/xml',
    '--data-binary',
    `@${at('call.xml')}`,
    '-w',
    `${STATUS_MARK}%{http_code}`,
    '--url',
    url.href,
  ]);
  if (isFine) return output;
  throw new ReactorError('koji.hub_unreachable', `The Koji hub cannot be reached: ${complaint}`, {
    where: `${url.origin}${url.pathname} sslLogin`,
    fate: 'retry',
    hint: 'Look whether the hub URL of the Koji profile is right and the host can be reached from here.',
  });
}

interface Ended {
  readonly isFine: boolean;
  /** The first line of what it says of that. */
  readonly complaint: string;
  readonly output: Buffer;
}

/** Runs a program, to its end or that of the signal; it sees nothing of the service's environment but where Kerberos is configured. */
function runProgram({ directory, signal }: Run, program: string, words: readonly string[]): Promise<Ended> {
  const { PATH = '/usr/bin:/bin', KRB5_CONFIG } = process.env;
  const options = {
    cwd: directory,
    encoding: 'buffer',
    env: {
      PATH,
      HOME: directory,
      LC_ALL: 'C',
      KRB5CCNAME: `FILE:${join(directory, 'ticket')}`,
      ...(KRB5_CONFIG === undefined ? {} : { KRB5_CONFIG }),
    },
    maxBuffer: MOST_BYTES,
    ...(signal === undefined ? {} : { signal }),
  } as const;
  return new Promise((resolve, reject) => {
    execFile(program, words, options, (error, output, complained) => {
      const complaint = complained.toString('utf8').trim().split('\n', 1)[0] ?? '';
      if (error === null) resolve({ isFine: true, complaint, output });
      else if (signal?.aborted === true) reject(signal.reason);
      else if (error.code === 'ENOENT') reject(programMissing(program, error));
      else resolve({ isFine: false, complaint: complaint || messageOf(error), output });
    });
  });
}

function programMissing(program: string, cause: Error): ReactorError {
  return new ReactorError(
    'koji.login_program_missing',
    `The program ${program}, which logs into Koji by Kerberos, is not installed on this server.`,
    {
      hint: 'Install kinit (krb5-user, krb5-workstation) and curl where composes are made.',
      fate: 'halt',
      cause,
    },
  );
}

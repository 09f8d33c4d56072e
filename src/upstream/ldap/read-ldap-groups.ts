import { connect, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { messageOf, ReactorError } from '../../model/errors.ts';
import { berTags, readBer, readBerAll, writeBer, writeBerNumber, writeBerText } from './ber.ts';

export interface LdapGroupsQuery {
  /** `ldap://host[:port]` or `ldaps://host[:port]`. */
  readonly server: string;
  /** Where groups lie: `ou=groups,dc=example,dc=com`. */
  readonly base: string;
  readonly user: string;
  /** Milliseconds the whole exchange may take. */
  readonly timeout?: number;
}

const operations = { search: 0x63, entry: 0x64, done: 0x65, equalityMatch: 0xa3, unbind: 0x42 } as const;
const singleLevel = 1;
const messageId = 1;

/**
 * The groups (`cn`) right below `base` that have the user as `memberUid`, asked for without a password. Throws
 * `ldap.unreachable`, `ldap.refused`, `ldap.malformed`, all of which ODCS takes for "no groups".
 * Source: ODCS contract 9; RFC 4511 4.5.
 */
export async function readLdapGroups(query: LdapGroupsQuery): Promise<readonly string[]> {
  const url = URL.parse(query.server);
  if (url === null || (url.protocol !== 'ldap:' && url.protocol !== 'ldaps:')) {
    throw new ReactorError('ldap.unreachable', `"${query.server}" is no LDAP server.`, {
      hint: 'Write ldaps://ldap.example.com.',
      fate: 'halt',
    });
  }
  const host = url.hostname.replace(/^\[|\]$/g, '');
  const isTls = url.protocol === 'ldaps:';
  const port = url.port === '' ? (isTls ? 636 : 389) : Number(url.port);
  const socket = isTls ? connectTls({ host, port, servername: host }) : connect({ host, port });
  try {
    return await exchange(socket, query, isTls ? 'secureConnect' : 'connect');
  } finally {
    socket.destroy();
  }
}

function exchange(socket: Socket, query: LdapGroupsQuery, connected: string): Promise<readonly string[]> {
  return new Promise((resolve, reject) => {
    const groups: string[] = [];
    let waiting = Buffer.alloc(0);
    const fail = (problem: string): void =>
      reject(
        new ReactorError('ldap.unreachable', `The LDAP server does not answer: ${problem}.`, {
          where: query.server,
          fate: 'retry',
        }),
      );
    const timer = setTimeout(() => fail('time is over'), query.timeout ?? 10_000);
    timer.unref();
    socket.once('close', () => {
      clearTimeout(timer);
      fail('it closed the connection');
    });
    socket.on('error', (error) => fail(messageOf(error)));
    socket.once(connected, () => socket.write(searchRequest(query)));
    socket.on('data', (bytes: Buffer) => {
      try {
        waiting = Buffer.concat([waiting, bytes]);
        for (let read = readBer(waiting); read !== undefined; read = readBer(waiting)) {
          waiting = waiting.subarray(read.size);
          if (takeMessage(read.element.content, groups) === 'done') {
            socket.write(unbindRequest());
            resolve(groups);
          }
        }
      } catch (error) {
        reject(error instanceof Error ? error : new Error(String(error)));
      }
    });
  });
}

function searchRequest({ base, user }: LdapGroupsQuery): Buffer {
  const search = writeBer(
    operations.search,
    writeBerText(base),
    writeBerNumber(berTags.enumerated, singleLevel),
    writeBerNumber(berTags.enumerated, 0),
    writeBerNumber(berTags.integer, 0),
    writeBerNumber(berTags.integer, 0),
    writeBer(berTags.boolean, Buffer.from([0])),
    writeBer(operations.equalityMatch, writeBerText('memberUid'), writeBerText(user)),
    writeBer(berTags.sequence, writeBerText('cn')),
  );
  return writeBer(berTags.sequence, writeBerNumber(berTags.integer, messageId), search);
}

function unbindRequest(): Buffer {
  const id = writeBerNumber(berTags.integer, messageId + 1);
  return writeBer(berTags.sequence, id, writeBer(operations.unbind));
}

/** Takes one message: collects the values of an entry, or ends. References to other servers are passed over. */
function takeMessage(content: Buffer, groups: string[]): 'done' | 'more' {
  const [, operation] = readBerAll(content);
  if (operation?.tag === operations.entry) {
    const [, attributes] = readBerAll(operation.content);
    for (const attribute of readBerAll(attributes?.content ?? Buffer.alloc(0))) {
      const [, values] = readBerAll(attribute.content);
      for (const value of readBerAll(values?.content ?? Buffer.alloc(0))) {
        groups.push(value.content.toString('utf8'));
      }
    }
    return 'more';
  }
  if (operation?.tag !== operations.done) return 'more';
  const [result, , diagnostic] = readBerAll(operation.content);
  const code = result?.content[0] ?? -1;
  if (code === 0) return 'done';
  throw new ReactorError(
    'ldap.refused',
    `The LDAP server refused the search with code ${code}: ${diagnostic?.content.toString('utf8') || 'no reason given'}.`,
  );
}

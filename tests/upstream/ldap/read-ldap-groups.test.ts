import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { ReactorError } from '../../../src/model/errors.ts';
import { readBer, writeBer, writeBerNumber } from '../../../src/upstream/ldap/ber.ts';
import { readLdapGroups } from '../../../src/upstream/ldap/read-ldap-groups.ts';
import { ldapAnswers, ldapSearchForKim, openReplayedLdap } from './replayed-ldap.ts';

const base = 'ou=groups,dc=example,dc=com';

test('the groups of a user are asked for and read as OpenLDAP speaks', async () => {
  for (const piece of [1, 7, 1000]) {
    await using server = await openReplayedLdap(ldapAnswers.twoGroups, { piece });
    const groups = await readLdapGroups({ server: server.url, base, user: 'kim' });
    assert.deepEqual(groups, ['releng', 'Größe', 'builders']);
    assert.ok(server.received().startsWith(ldapSearchForKim));
  }
});

test('a user without groups has none', async () => {
  await using server = await openReplayedLdap(ldapAnswers.none);
  assert.deepEqual(await readLdapGroups({ server: server.url, base, user: 'nobody' }), []);
});

test('a user name is a value, whatever it looks like', async () => {
  await using server = await openReplayedLdap(ldapAnswers.none);
  await readLdapGroups({ server: server.url, base, user: 'kim)(cn=*' });
  assert.match(server.received(), new RegExp(`0409${Buffer.from('kim)(cn=*').toString('hex')}`));
});

async function problemOf(answer: string, options: { hangsUp?: boolean } = {}): Promise<string> {
  await using server = await openReplayedLdap(answer, options);
  const problem = await readLdapGroups({ server: server.url, base, user: 'kim', timeout: 200 }).then(
    () => undefined,
    (error: unknown) => error,
  );
  assert.ok(problem instanceof ReactorError, String(problem));
  return problem.code;
}

test('a search that is refused, cut, late or nonsense is a typed error', async () => {
  assert.equal(await problemOf(ldapAnswers.noSuchBase), 'ldap.refused');
  assert.equal(await problemOf(ldapAnswers.twoGroups.slice(0, 60), { hangsUp: true }), 'ldap.unreachable');
  assert.equal(await problemOf(ldapAnswers.twoGroups.slice(0, 60)), 'ldap.unreachable');
  assert.equal(await problemOf('3084ffffffff'), 'ldap.malformed');
  assert.equal(await problemOf('3080'), 'ldap.malformed');
  assert.equal(await problemOf('30050201016503'), 'ldap.malformed');
});

test('a server that is not there, or no server at all, is a typed error', async () => {
  const server = await openReplayedLdap('');
  await server[Symbol.asyncDispose]();
  for (const url of [server.url, 'http://localhost/', 'nonsense']) {
    await assert.rejects(readLdapGroups({ server: url, base, user: 'kim' }), ReactorError);
  }
});

test('what is written is read again, in any length', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 70_000 }), fc.nat({ max: 200 }), (content, cut) => {
      const written = writeBer(4, Buffer.from(content));
      const read = readBer(Buffer.concat([written, Buffer.alloc(3)]));
      assert.equal(read?.size, written.length);
      assert.deepEqual(read?.element.content, Buffer.from(content));
      assert.equal(readBer(written.subarray(0, Math.max(0, written.length - 1 - cut))), undefined);
    }),
    { numRuns: 50 },
  );
});

test('numbers are written as short as they can be, and never negative', () => {
  const hex = (value: number): string => writeBerNumber(2, value).toString('hex');
  assert.deepEqual([0, 1, 127, 128, 255, 256, 0x7fffffff, 0xffffffff].map(hex), [
    '020100',
    '020101',
    '02017f',
    '02020080',
    '020200ff',
    '02020100',
    '02047fffffff',
    '020500ffffffff',
  ]);
});

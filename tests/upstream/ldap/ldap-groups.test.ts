import assert from 'node:assert/strict';
import { createServer, type AddressInfo } from 'node:net';
import { after, before, test } from 'node:test';
import { loadConfig } from '../../../src/config.ts';
import { createLog } from '../../../src/log.ts';
import { LdapGroups, type LdapServer } from '../../../src/upstream/ldap/ldap-groups.ts';
import { openUserGroups } from '../../../src/upstream/user-groups.ts';
import { ensurePackages } from '../../services/debian-packages.ts';
import { groupBase, startSlapd, type Slapd } from '../../services/slapd.ts';

const packages = ensurePackages(['slapd', 'openssl']);
const options = packages.ready ? {} : { skip: packages.reason };
let slapd: Slapd;
before(async () => {
  if (packages.ready) slapd = await startSlapd();
});
after(async () => {
  if (packages.ready) await slapd[Symbol.asyncDispose]();
});

const serverOf = (change: Partial<LdapServer> = {}): LdapServer => ({
  url: slapd.url,
  filters: new Map([[groupBase, 'memberUid={}']]),
  login: slapd.login,
  isStartTls: false,
  authority: '',
  timeoutMs: 5_000,
  ...change,
});
const kims = ['Größe', 'releng', 'releng interns'];
const asked = async (groups: LdapGroups, user = 'kim'): Promise<string[]> =>
  [...(await groups.groupsOf(user))].sort();

test('the groups of a user are found, plain, over StartTLS and over ldaps', options, async () => {
  const { authority } = slapd.certificates;
  for (const change of [{}, { isStartTls: true, authority }, { url: slapd.secureUrl, authority }]) {
    using groups = new LdapGroups(serverOf(change));
    assert.deepEqual((await asked(groups)).toSorted(), kims.toSorted());
    assert.deepEqual(await asked(groups, 'nobody'), []);
  }
});

test('a user name is a value, whatever it looks like', options, async () => {
  using groups = new LdapGroups(serverOf());
  assert.deepEqual(await asked(groups, 'k*m'), ['others']);
  assert.deepEqual(await asked(groups, '*)(cn=*'), ['others']);
  assert.deepEqual(await asked(groups, '*'), []);
});

test(
  'groups are found by the filters of the settings, each once, in the place of the bases',
  options,
  async () => {
    const whole = '(&(objectClass=posixGroup)(|(memberUid={})(memberUid={}*)))';
    using groups = new LdapGroups(
      serverOf({
        filters: new Map([
          ['dc=example,dc=com', 'ou={}'],
          [groupBase, whole],
        ]),
      }),
    );
    assert.deepEqual((await asked(groups)).toSorted(), kims.toSorted());
    assert.deepEqual(await asked(groups, 'k*m'), ['others']);
    assert.deepEqual(await asked(groups, '*'), ['others']);
    using broken = new LdapGroups(serverOf({ filters: new Map([[groupBase, '(memberUid={}']]) }));
    await assert.rejects(asked(broken), { code: 'ldap.unreachable' });
  },
);

test('a server of another authority is not believed, nor one that refuses the login', options, async () => {
  const wrong = { ...slapd.login, password: 'wrong' };
  for (const change of [{ url: slapd.secureUrl }, { isStartTls: true }, { login: wrong }, { login: null }]) {
    using groups = new LdapGroups(serverOf(change));
    await assert.rejects(asked(groups), { code: 'ldap.unreachable' });
  }
});

test('a server that was started again is asked again, encrypted as before', options, async () => {
  using groups = new LdapGroups(serverOf({ isStartTls: true, authority: slapd.certificates.authority }));
  assert.equal((await asked(groups)).length, 3);
  await slapd.stop();
  await assert.rejects(asked(groups), { code: 'ldap.unreachable' });
  await slapd.start();
  assert.equal((await asked(groups)).length, 3);
});

test('a server that says nothing is given up', async () => {
  const silent = createServer(() => undefined);
  await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
  const { port } = silent.address() as AddressInfo;
  for (const isStartTls of [false, true]) {
    const url = `ldap://127.0.0.1:${port}`;
    using groups = new LdapGroups({
      url,
      filters: new Map([[groupBase, 'memberUid={}']]),
      login: null,
      isStartTls,
      authority: '',
      timeoutMs: 50,
    });
    await assert.rejects(groups.groupsOf('kim'), { code: 'ldap.unreachable' });
  }
  silent.close();
});

test('groups are kept for a minute, and a failure means none', options, async () => {
  const { config } = loadConfig({
    file: undefined,
    environment: {},
    overrides: {
      auth_ldap_server: slapd.url,
      auth_ldap_group_base: groupBase,
      auth_ldap_bind_dn: slapd.login.dn,
      auth_ldap_bind_password: slapd.login.password,
    },
  });
  const byName = { ...config, auth_ldap_group_base: '', auth_ldap_groups: { [groupBase]: 'cn={}' } };
  using named = openUserGroups(byName, createLog('silent'));
  assert.deepEqual(await named.ofUser('Größe'), ['Größe']);
  using groups = openUserGroups(config, createLog('silent'));
  assert.equal((await groups.ofUser('kim')).length, 3);
  await slapd.stop();
  assert.equal((await groups.ofUser('kim')).length, 3);
  assert.deepEqual(await groups.ofUser('lee'), []);
  await slapd.start();
  assert.deepEqual([...(await groups.ofUser('lee'))].sort(), ['others', 'releng']);
});

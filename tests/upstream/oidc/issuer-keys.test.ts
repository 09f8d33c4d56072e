import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openSignedVerifier } from '../../../src/upstream/oidc/verify-signed.ts';
import { IssuerKeys } from '../../../src/upstream/oidc/issuer-keys.ts';
import { makeKey, startFakeIssuer } from './fake-issuer.ts';

const now = new Date('2026-11-22T10:00:00Z');
const seconds = now.getTime() / 1000;

test('a key that the issuer takes into use is read at once, made-up ones at most twice a minute', async (context) => {
  const issuer = await startFakeIssuer(context);
  const first = await issuer.addKey('first');
  let time = 0;
  using verifier = openSignedVerifier(
    {
      oidc_issuer: issuer.url,
      oidc_audiences: ['odcs'],
      oidc_jwks_uri: `${issuer.url}/keys`,
      oidc_ca: '',
      oidc_user_claim: 'sub',
      oidc_groups_claim: '',
    },
    () => time,
  );
  const claims = { iss: issuer.url, aud: 'odcs', sub: 'osbs', exp: seconds + 60 };
  const kindOf = async (key: typeof first): Promise<string> =>
    (await verifier.verify(await issuer.sign(claims, key), now)).kind;
  assert.deepEqual(await Promise.all([kindOf(first), kindOf(first)]), ['known', 'known']);
  assert.equal(issuer.asked.length, 1, 'both wait for one reading');
  time += 30_000;
  const second = await issuer.addKey('second');
  assert.equal(await kindOf(second), 'known');
  assert.equal(issuer.asked.length, 2);
  for (let number = 0; number < 50; number += 1) {
    assert.equal(await kindOf({ ...first, id: `made up ${number}` }), 'refused');
  }
  assert.equal(issuer.asked.length, 2, 'half a minute has not passed');
  time += 30_000;
  const strangers = Array.from({ length: 10 }, (_, number) => kindOf({ ...first, id: `other ${number}` }));
  assert.deepEqual(new Set(await Promise.all(strangers)), new Set(['refused']));
  assert.equal(issuer.asked.length, 3, 'all who come meanwhile share one reading');
});

test('a key that the issuer withdraws counts for ten minutes at most', async () => {
  let time = 0;
  const [old, fresh] = await Promise.all([makeKey('old'), makeKey('fresh')]);
  let published = [old.published];
  const keys = new IssuerKeys(
    async () => ({ keys: published }),
    () => time,
  );
  assert.notEqual(await keys.finderOf('old'), null);
  published = [fresh.published];
  time += 600_001;
  assert.equal(await keys.finderOf('old'), null);
  assert.notEqual(await keys.finderOf('fresh'), null);
});

test('keys outlast an issuer that is away by an hour, and it is not asked all the time', async () => {
  let time = 0;
  let tries = 0;
  let isAway = false;
  const { published } = await makeKey('first');
  const keys = new IssuerKeys(
    async () => {
      tries += 1;
      if (isAway) throw new Error('away');
      return { keys: [published] };
    },
    () => time,
  );
  await keys.finderOf('first');
  isAway = true;
  time += 3_600_000;
  assert.notEqual(await keys.finderOf('first'), null);
  assert.notEqual(await keys.finderOf('first'), null);
  assert.equal(tries, 2);
  time += 1;
  await assert.rejects(keys.finderOf('first'), { message: 'away' });
  isAway = false;
  time += 30_000;
  assert.notEqual(await keys.finderOf('first'), null);
});

test('what is no set of keys is an answer that may be better later', async () => {
  for (const document of [null, {}, { keys: 'many' }, []]) {
    await assert.rejects(new IssuerKeys(async () => document).finderOf('any'), {
      code: 'oidc.unanswered',
      fate: 'retry',
    });
  }
  const strange = { keys: [null, 5, { kty: 'RSA' }, { kty: 'of tomorrow', kid: 'any' }] };
  assert.notEqual(await new IssuerKeys(async () => strange).finderOf('any'), null);
});

test('an issuer that calls itself otherwise, or leads to keys of another host, is not believed', async (context) => {
  const issuer = await startFakeIssuer(context);
  const other = await startFakeIssuer(context);
  const key = await other.addKey('first');
  const settings = {
    oidc_issuer: issuer.url,
    oidc_audiences: ['odcs'],
    oidc_jwks_uri: '',
    oidc_ca: '',
    oidc_user_claim: 'sub',
    oidc_groups_claim: '',
  };
  const token = await issuer.sign({ iss: issuer.url, aud: 'odcs', sub: 'osbs', exp: seconds + 60 }, key);
  for (const discovery of [{ issuer: other.url }, { jwks_uri: `${other.url}/keys` }, { jwks_uri: 7 }]) {
    issuer.discovery = discovery;
    using verifier = openSignedVerifier(settings);
    await assert.rejects(verifier.verify(token, now), { code: 'oidc.unanswered' });
  }
  assert.deepEqual(other.asked, []);
});

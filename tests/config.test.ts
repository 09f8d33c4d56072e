import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { formatList, loadConfig } from '../src/config.ts';
import type { ReactorError } from '../src/model/errors.ts';

const configOf = (environment: Record<string, string>) => loadConfig({ file: undefined, environment }).config;

for (const [variable, value] of [
  ['ODCS_ARCHES', '["x86_64","aarch64"]'],
  ['ODCS_ARCHES', '../x86_64'],
  ['ODCS_SIGKEYS', "f5d95b82 ''"],
  ['ODCS_SIGKEYS', '../../keys'],
  ['ODCS_EXTRA_TARGET_DIRS', '{"../private":"/srv/private"}'],
  ['ODCS_EXTRA_TARGET_DIRS', '{"default":"/srv/private"}'],
  ['ODCS_EXTRA_TARGET_DIR_URLS', '{"nowhere":"https://example.com/c"}'],
  ['RAW_CONFIG_URLS', '{"eln":{"url":"u","config_filename":"c","seconds_to_live":-1}}'],
  ['ODCS_EXTRA_TARGET_DIR_URLS', '{"private":"/srv/private"}'],
  ['ODCS_METADATA_KEY', 'main'],
  ['ODCS_METADATA_KEY_OF_SERIES', '{"images": "main"}'],
  ['ODCS_METADATA_KEY_OF_TARGET_DIRS', '{"team": ""}'],
  ['ODCS_METADATA_KEYS', '{"main": {"fingerprint": "1234", "public_key": "/key.asc"}}'],
  ['ODCS_METADATA_KEYS', `{"main": {"fingerprint": "${'A'.repeat(40)}", "public_key": "key.asc"}}`],
  [
    'ODCS_METADATA_KEYS',
    `{"main": {"fingerprint": "${'A'.repeat(40)}", "public_key": "/k", "gpg_home": "/h", "command": ["x"]}}`,
  ],
] as const) {
  test(`${variable}=${value} is refused at the start`, () => {
    assert.throws(
      () => configOf({ [variable]: value }),
      ({ code, where, fate }: ReactorError) =>
        code === 'config.invalid_value' && where === variable && fate === 'halt',
    );
  });
}

const bearing = {
  ODCS_AUTH_BACKEND: 'openidc',
  ODCS_OIDC_ISSUER: 'https://sso.example.org',
  ODCS_OIDC_AUDIENCES: 'odcs',
};
for (const [fault, variables, where] of [
  ['no audience', { ODCS_OIDC_AUDIENCES: '' }, 'ODCS_OIDC_ISSUER'],
  ['another backend', { ODCS_AUTH_BACKEND: 'kerberos' }, 'ODCS_OIDC_ISSUER'],
  [
    'keys that anybody may change on the way',
    { ODCS_OIDC_ISSUER: 'http://sso.example.org' },
    'ODCS_OIDC_ISSUER',
  ],
  [
    'two ways to check a token',
    { ODCS_OIDC_INTROSPECTION_URI: 'https://sso.example.org/i' },
    'ODCS_OIDC_INTROSPECTION_URI',
  ],
  [
    'keys of nobody',
    { ODCS_OIDC_ISSUER: '', ODCS_OIDC_JWKS_URI: 'https://sso.example.org/keys' },
    'ODCS_OIDC_JWKS_URI',
  ],
] as const) {
  test(`bearer tokens with ${fault} are refused at the start`, () => {
    assert.throws(
      () => configOf({ ...bearing, ...variables }),
      (error: ReactorError) => error.code === 'config.invalid_value' && error.where === where,
    );
  });
}

for (const [fault, variables, where] of [
  ['no key', { ODCS_TLS_CERTIFICATE: '/c' }, 'ODCS_TLS_CERTIFICATE'],
  ['clients but no server', { ODCS_TLS_CLIENT_CA: '/ca' }, 'ODCS_TLS_CLIENT_CA'],
  [
    'clients that nobody asks for',
    { ODCS_TLS_CERTIFICATE: '/c', ODCS_TLS_KEY: '/k', ODCS_TLS_CLIENT_CA: '/ca' },
    'ODCS_TLS_CLIENT_CA',
  ],
  ['revoked clients of nobody', { ODCS_TLS_CLIENT_CRL: '/crl' }, 'ODCS_TLS_CLIENT_CRL'],
] as const) {
  test(`TLS with ${fault} is refused at the start`, () => {
    assert.throws(
      () => configOf(variables),
      (error: ReactorError) => error.code === 'config.invalid_value' && error.where === where,
    );
  });
}

const keytab = { ODCS_KOJI_LOGIN_KEYTAB: '/k', ODCS_KOJI_LOGIN_PRINCIPAL: 'odcs/host@EXAMPLE.ORG' };

for (const [fault, variables, where] of [
  ['no principal', { ...keytab, ODCS_KOJI_LOGIN_PRINCIPAL: '' }, 'ODCS_KOJI_LOGIN_KEYTAB'],
  ['no keytab', { ...keytab, ODCS_KOJI_LOGIN_KEYTAB: '' }, 'ODCS_KOJI_LOGIN_PRINCIPAL'],
  [
    'a principal that is an option',
    { ...keytab, ODCS_KOJI_LOGIN_PRINCIPAL: '-V' },
    'ODCS_KOJI_LOGIN_PRINCIPAL',
  ],
  ['a certificate, too', { ...keytab, ODCS_KOJI_LOGIN_CERTIFICATE: '/c' }, 'ODCS_KOJI_LOGIN_KEYTAB'],
] as const) {
  test(`a login to Koji by a keytab with ${fault} is refused at the start`, () => {
    assert.throws(
      () => configOf(variables),
      (error: ReactorError) => error.code === 'config.invalid_value' && error.where === where,
    );
  });
}

test('a login to Koji by a keytab needs a principal, no more', () => {
  assert.equal(configOf(keytab).koji_login_principal, 'odcs/host@EXAMPLE.ORG');
});

test('bearer tokens need an issuer and an audience, no more', () => {
  assert.equal(configOf(bearing).oidc_issuer, 'https://sso.example.org');
});

test('the word none is the empty signing key, in a variable and in the file', () => {
  assert.deepEqual(configOf({ ODCS_SIGKEYS: 'f5d95b82 none' }).sigkeys, ['f5d95b82', '']);
  const directory = mkdtempSync(join(tmpdir(), 'odcs-config-'));
  const file = join(directory, 'odcs.yaml');
  writeFileSync(file, 'sigkeys: f5d95b82 none\narches: [x86_64, aarch64]\n');
  const { config } = loadConfig({ file, environment: {} });
  rmSync(directory, { recursive: true });
  assert.deepEqual(config.sigkeys, ['f5d95b82', '']);
  assert.deepEqual(config.arches, ['x86_64', 'aarch64']);
});

test('a list is printed as it can be given again', () => {
  const sigkeys = formatList('sigkeys', ['f5d95b82', '']);
  assert.equal(sigkeys, 'f5d95b82 none');
  assert.deepEqual(configOf({ ODCS_SIGKEYS: sigkeys }).sigkeys, ['f5d95b82', '']);
  const arches = formatList('arches', ['x86_64', 'aarch64']);
  assert.deepEqual(configOf({ ODCS_ARCHES: arches }).arches, ['x86_64', 'aarch64']);
  assert.equal(formatList('umb_urls', ['a b']), '["a b"]');
  assert.equal(formatList('repo_roots', []), '[]');
});

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { parse } from 'yaml';
import { command } from '../../../src/commands/import-odcs.ts';
import { NoLiteral, readPythonLiteral } from '../../../src/commands/import-odcs/python-literal.ts';
import { readPythonSection } from '../../../src/commands/import-odcs/read-python-sections.ts';
import { settingsOfOdcs } from '../../../src/commands/import-odcs/settings-of-odcs.ts';
import { loadConfig } from '../../../src/config.ts';
import { runCommand } from '../run-command.ts';

const folder = mkdtempSync(join(tmpdir(), 'settings-of-odcs-'));
after(() => rmSync(folder, { recursive: true, force: true }));

const whole = `
# -*- coding: utf-8 -*-
import os
from os import path

confdir = path.abspath(path.dirname(__file__))
DAY = 60 * 60 * 24
ROOT = '/mnt/odcs'


class BaseConfiguration(object):
    """Settings of
    all."""
    SECRET_KEY = 'x'
    SQLALCHEMY_DATABASE_URI = 'postgresql://odcs:geheim@db/odcs'
    NET_TIMEOUT = 120
    TARGET_DIR = ROOT + '/composes'
    TARGET_DIR_URL = "http://odcs.example.com" '/composes'
    EXTRA_TARGET_DIRS = {"private": r'/mnt/private'}
    SECONDS_TO_LIVE = DAY
    MAX_SECONDS_TO_LIVE = 3 * DAY
    ALLOWED_CLIENTS = {
        'groups': {'releng': {"source_types": ["tag", 'module'], 'target_dirs': ["private"]}},  # in it # too
        'users': {},
    }
    ADMINS = dict(users=['root'])
    BASE_MODULE_NAMES = set(["platform", "bootstrap"])
    SIGKEYS = ('a1b2c3d4',)
    PULP_PASSWORD = os.environ["PULP_PASSWORD"]
    AUTH_LDAP_SERVER = ''
    if DEBUG:
        KOJI_PROFILE = 'stage'

    def method(self):
        ARCHES = ['none']

    LOG_LEVEL = 'warning'


class ProdConfiguration(BaseConfiguration):
    KOJI_PROFILE = 'koji'
    AUTH_BACKEND = 'kerberos'
    NUM_CONCURRENT_PUNGI = 4
    RAW_CONFIG_URLS = {
        "eln": {
            "url": "https://git.example.org/eln.git",
            "config_filename": "eln.conf", \\
            "commit": 'main',
        },
    }
    MESSAGING_BACKEND = 'rhmsg'
    MESSAGING_BROKER_URLS = ['amqps://broker.example.com:5671']
    MESSAGING_CERT_FILE = '/etc/odcs/cert.pem'
    MADE_UP = True
    ARCHES = ["x86_64", 'aarch64']
`;

test('settings of a class and of what it inherits become those of this service', () => {
  const { settings, database, needless } = settingsOfOdcs(readPythonSection(whole, 'ProdConfiguration'));
  assert.deepEqual(settings, {
    koji_profile: 'koji',
    auth_backend: 'kerberos',
    concurrent_composes: 4,
    concurrent_pungi: 4,
    raw_config_urls: {
      eln: {
        engine: 'pungi',
        url: 'https://git.example.org/eln.git',
        config_filename: 'eln.conf',
        commit: 'main',
      },
    },
    umb_certificate: '/etc/odcs/cert.pem',
    arches: ['x86_64', 'aarch64'],
    target_dir: '/mnt/odcs/composes',
    target_dir_url: 'http://odcs.example.com/composes',
    extra_target_dirs: { private: '/mnt/private' },
    seconds_to_live: 86_400,
    max_seconds_to_live: 259_200,
    allowed_clients: {
      groups: { releng: { source_types: ['tag', 'module'], target_dirs: ['private'] } },
      users: {},
    },
    base_module_names: ['platform', 'bootstrap'],
    sigkeys: ['a1b2c3d4'],
    log_level: 'warn',
  });
  assert.equal(database, 'postgresql://odcs:geheim@db/odcs');
  assert.deepEqual(needless, ['MESSAGING_BACKEND', 'SECRET_KEY', 'NET_TIMEOUT']);
});

test('what is no literal is told with its line and the reason, and is not guessed', () => {
  const { unread } = settingsOfOdcs(readPythonSection(whole, 'ProdConfiguration'));
  assert.deepEqual(
    unread.map(({ name, why }) => [name, why.split(';', 1)[0]]),
    [
      ['MESSAGING_BROKER_URLS', 'rhmsg speaks AMQP'],
      ['MADE_UP', 'nothing here is called so'],
      ['ADMINS', 'it is more than a literal'],
      ['PULP_PASSWORD', 'it is more than a literal'],
    ],
  );
  const lines = whole.split('\n');
  for (const { name, line } of unread) assert.match(lines[line - 1] ?? '', new RegExp(`^\\s+${name} = `));
});

test('what depends on an if is told, and what stands in a function is none', () => {
  const { unread, settings } = settingsOfOdcs(readPythonSection(whole, 'BaseConfiguration'));
  assert.ok(unread.some(({ name, why }) => name === 'KOJI_PROFILE' && /depends on what runs/.test(why)));
  assert.equal(settings.arches, undefined);
});

test('a class that is not there is told with those that are', () => {
  assert.throws(() => readPythonSection(whole, 'Other'), {
    code: 'import.section_unknown',
    hint: 'It has: BaseConfiguration, ProdConfiguration.',
  });
  assert.throws(() => readPythonSection('A: B = 1\n', 'Other'), /There is no class/);
});

test('pairs of bases and filters become a table, whose filters find what each of one base found', () => {
  const groupsOf = (value: string): unknown => {
    const { settings, unread } = settingsOfOdcs(
      readPythonSection(`class C:\n  AUTH_LDAP_GROUPS = ${value}\n`, 'C'),
    );
    return settings.auth_ldap_groups ?? unread.map(({ name }) => name);
  };
  const pairs = '("ou=groups,dc=x", "memberUid={}"), ("ou=a,dc=x", "(member=uid={0},dc=x)")';
  assert.deepEqual(groupsOf(`[${pairs}, ("ou=groups,dc=x", "(cn={})")]`), {
    'ou=groups,dc=x': '(|(memberUid={})(cn={}))',
    'ou=a,dc=x': '(member=uid={},dc=x)',
  });
  for (const odd of ['["ou=groups"]', '[("ou=groups",)]', '[("a", "cn={}", "b")]', '[("a", "cn=all")]']) {
    assert.deepEqual(groupsOf(odd), ['AUTH_LDAP_GROUPS'], odd);
  }
});

test('early releases listed clients, some with their source types', () => {
  const early = `class C:\n  ALLOWED_CLIENTS = {'groups': ['g'], 'users': [{'mike': ['tag']}, 'joe']}\n`;
  assert.deepEqual(settingsOfOdcs(readPythonSection(early, 'C')).settings, {
    allowed_clients: { groups: { g: {} }, users: { mike: { source_types: ['tag'] }, joe: {} } },
  });
});

test('literals of Python are read as JSON has them, and calls, comprehensions and f-strings are none', () => {
  const read = (text: string): unknown => readPythonLiteral(text, () => undefined);
  assert.deepEqual(read(`{'a': [1, 2.5, -3, None, True], "b": ('x', "y",), 3: set()}`), {
    a: [1, 2.5, -3, null, true],
    b: ['x', 'y'],
    3: [],
  });
  assert.equal(read(`"""a\\n'b'""" 'c\\x41' r'\\d'`), "a\n'b'cA\\d");
  assert.deepEqual(read('1, 2'), [1, 2]);
  assert.deepEqual(read('()'), []);
  for (const text of [
    'f"{x}"',
    'open("x")',
    '[a for a in b]',
    '1 if x else 2',
    '{1: 2, **x}',
    'a.b',
    '',
    '1 2',
  ]) {
    assert.throws(() => read(text), NoLiteral, text);
  }
});

test('the command prints YAML that the service reads, and tells the rest', async () => {
  const path = join(folder, 'config.py');
  writeFileSync(path, whole);
  const { code, out, told } = await runCommand(command, ['--settings-of', path]);
  assert.equal(code, 0);
  writeFileSync(join(folder, 'odcs.yaml'), out);
  const { config } = loadConfig({ file: join(folder, 'odcs.yaml'), environment: {} });
  assert.equal(config.seconds_to_live, 86_400);
  assert.equal(parse(out).concurrent_pungi, 4);
  assert.match(told, /config\.py:\d+: MADE_UP is not taken over: nothing here is called so/);
  assert.doesNotMatch(told, /geheim/);
  await assert.rejects(runCommand(command, ['--settings-of', join(folder, 'absent')]), {
    code: 'import.config_unreadable',
  });
  await assert.rejects(runCommand(command, []), { code: 'import.usage' });
});

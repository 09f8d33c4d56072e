import assert from 'node:assert/strict';
import { test } from 'node:test';
import { reprOfValue } from '../../../src/composer/main/config-value.ts';
import { loadConfig } from '../../../src/composer/main/load-config.ts';
import { messageOf, ReactorError } from '../../../src/model/errors.ts';
import { configFiles } from './config-files.ts';

/** The values of a main file, as Python prints them. */
function valuesOf(main: string, others: Readonly<Record<string, string>> = {}): Record<string, string> {
  const { config } = loadConfig(configFiles({ 'main.conf': main, ...others }), 'main.conf');
  return Object.fromEntries(Array.from(config, ([name, value]) => [name, reprOfValue(value)]));
}

function errorOf(main: string, others: Readonly<Record<string, string>> = {}): string {
  try {
    valuesOf(main, others);
  } catch (error) {
    assert.ok(error instanceof ReactorError, messageOf(error));
    return `${error.code} ${error.message}`;
  }
  assert.fail('nothing was thrown');
}

test('values are texts, numbers, truth values, lists, tuples and dictionaries', () => {
  assert.deepEqual(
    valuesOf(`a = "x" # comment
b = -3
c = 2.5
d = [True, False, None]
e = ("one",)
f = {"k": [1], 2: 'v'}
g = a`),
    {
      a: "'x'",
      b: '-3',
      c: '2.5',
      d: '[True, False, None]',
      e: "('one',)",
      f: "{'k': [1], 2: 'v'}",
      g: "'x'",
    },
  );
});

test('commas are optional, several are one, and texts beside each other are two items', () => {
  assert.deepEqual(valuesOf('a = {"a": 1 "b": 2}\nb = [None,, "x" "y"]\nc = (1 2,,)\n  d = [\n"m"\n]'), {
    a: "{'a': 1, 'b': 2}",
    b: "[None, 'x', 'y']",
    c: '(1, 2)',
    d: "['m']",
  });
});

test('a text loses its first and last character, and no escape is read', () => {
  assert.deepEqual(valuesOf(String.raw`a = "x\ny"` + '\n' + String.raw`b = "say \"hi\""`), {
    a: String.raw`'x\\ny'`,
    b: String.raw`'say \\"hi\\"'`,
  });
});

test('a text before % is formatted', () => {
  assert.deepEqual(
    valuesOf('v = "40"\na = "F-%s" % v\nb = "%(x)s/%(y)03d" % {"x": v, "y": 7}\nc = "%s%%%s" % (v, 1)'),
    { v: "'40'", a: "'F-40'", b: "'40/007'", c: "'40%1'" },
  );
  assert.match(errorOf('a = "%s %s" % ("x",)'), /TypeError: not enough arguments for format string/);
  assert.match(errorOf('a = "%s" % ("x", "y")'), /TypeError: not all arguments converted/);
  assert.match(errorOf('a = "%(x)s" % {"y": 1}'), /KeyError: 'x'/);
});

test('the last definition of a name counts', () => {
  assert.deepEqual(valuesOf('a = 1\na = 2'), { a: '2' });
});

test('imports take everything or what they name, from files beside the importing one', () => {
  const others = { 'sub/more-x.conf': 'from deep import *\nb = 2\nc = 3', 'sub/deep.conf': 'a = 1' };
  assert.deepEqual(valuesOf('from sub/more-x import *\nd = b', others), { a: '1', b: '2', c: '3', d: '2' });
  assert.deepEqual(valuesOf('from sub/more-x import a, c', others), { a: '1', c: '3' });
  assert.match(
    errorOf('from sub/more-x import nope\n', others),
    /KeyError: "Can't import nope from sub\/more-x.conf."/,
  );
});

test('an imported file sees what was declared global before, and nothing else', () => {
  const others = { 'one.conf': 'b = "%s" % a' };
  assert.deepEqual(valuesOf('global a\na = 1\nfrom one import *', others), { a: '1', b: "'1'" });
  assert.match(
    errorOf('a = 1\nfrom one import *', others),
    /Undefined variable 'a': file: conf\/one.conf, begin: \(1, 11\)/,
  );
});

test('what is not of the language is refused with its place', () => {
  assert.match(
    errorOf('a = 1 + 2'),
    /Invalid syntax: file: conf\/main.conf, begin: \(1, 6\), end: \(1, 7\), text: a = 1 \+ 2/,
  );
  assert.match(errorOf('a = f("x")'), /Undefined variable 'f'/);
  assert.match(errorOf('if = 1'), /Cannot assign to a python keyword: if/);
  assert.match(errorOf('_a = 1'), /KeyError: '_a'/);
  assert.match(errorOf('a = [1'), /TokenError: \('EOF in multi-line statement'/);
  assert.match(errorOf('a = "x'), /Invalid syntax/);
  assert.match(errorOf('a = {"k": 1,\n"k": 2}'), /Duplicate dict key 'k' in file conf\/main.conf on line 2/);
  assert.deepEqual(valuesOf('a = {1: 1, True: 2}'), { a: '{1: 1, True: 2}' });
});

test('imports that lead out, round or nowhere are refused', () => {
  assert.match(errorOf('from ../../etc/passwd import *\n'), /main.config_import .*leads out/);
  assert.match(errorOf('from /etc/passwd import *\n'), /main.config_import .*leads out/);
  assert.match(errorOf('from nope import *\n'), /main.config_missing .*conf\/nope.conf/);
  assert.match(
    errorOf('from a import *\n', { 'a.conf': 'from main import *\n' }),
    /main.config_import .*cannot import itself/,
  );
});

test('a configuration of more than ten megabytes is refused, and deep ones end', () => {
  assert.match(errorOf(`# ${'x'.repeat(10 * 1024 * 1024)}`), /main.config_too_large/);
  assert.match(errorOf(`a = ${'['.repeat(100)}${']'.repeat(100)}`), /more than 64 deep/);
});

test('a configuration in JSON is one object', () => {
  const { config } = loadConfig(configFiles({ 'c.json': '{"a": [1, null, "x"]}' }), 'c.json');
  assert.deepEqual(config.get('a'), [1, null, 'x']);
  assert.throws(() => loadConfig(configFiles({ 'c.json': '[]' }), 'c.json'), { code: 'main.config_syntax' });
});

test('names of the prototype of objects are names like others', () => {
  assert.deepEqual(valuesOf('a = {"__proto__": 1, "constructor": 2}\nconstructor = 1'), {
    a: "{'__proto__': 1, 'constructor': 2}",
    constructor: '1',
  });
});

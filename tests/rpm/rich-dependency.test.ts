import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { ReactorError } from '../../src/model/errors.ts';
import { parseRichDependency, RICH_DEPTH_LIMIT, type RichDependency } from '../../src/rpm/rich-dependency.ts';

function format(rich: RichDependency): string {
  switch (rich.kind) {
    case 'plain': {
      const { name, flag, epoch = '0', version = '', release } = rich.dependency;
      const operators = { EQ: '=', LT: '<', GT: '>', LE: '<=', GE: '>=' } as const;
      if (flag === undefined) return name;
      return `${name} ${operators[flag]} ${epoch}:${version}${release === undefined ? '' : `-${release}`}`;
    }
    case 'and':
    case 'or':
    case 'with':
      return `(${rich.operands.map(format).join(` ${rich.kind} `)})`;
    case 'without':
      return `(${format(rich.left)} without ${format(rich.right)})`;
    case 'if':
    case 'unless': {
      const otherwise = rich.otherwise === null ? '' : ` else ${format(rich.otherwise)}`;
      return `(${format(rich.consequent)} ${rich.kind} ${format(rich.condition)}${otherwise})`;
    }
    default:
      return rich satisfies never;
  }
}

const plain = fc.record({
  kind: fc.constant('plain' as const),
  dependency: fc.oneof(
    fc.record({ name: fc.constantFrom('a', 'perl(Foo::Bar)', 'lib.so.6(X_1)(64bit)', '/usr/bin/sh') }),
    fc.record({
      name: fc.constantFrom('b', 'font(:lang=de)'),
      flag: fc.constantFrom('EQ' as const, 'LT' as const, 'GE' as const),
      epoch: fc.constantFrom('0', '3'),
      version: fc.constantFrom('1', '2.0~rc1'),
      release: fc.constantFrom('1.fc42', '7'),
    }),
  ),
});

const rich = fc.letrec<{ any: RichDependency; group: RichDependency }>((tie) => ({
  any: fc.oneof({ maxDepth: 4 }, plain, tie('group')),
  group: fc.oneof(
    fc.record({
      kind: fc.constantFrom('and' as const, 'or' as const, 'with' as const),
      operands: fc.array(tie('any'), { minLength: 2, maxLength: 3 }),
    }),
    fc.record({ kind: fc.constant('without' as const), left: tie('any'), right: tie('any') }),
    fc.record({
      kind: fc.constantFrom('if' as const, 'unless' as const),
      consequent: tie('any'),
      condition: tie('any'),
      otherwise: fc.option(tie('any')),
    }),
  ),
})).group;

test('a rich dependency that is written and read again is the same', () => {
  fc.assert(
    fc.property(rich, (dependency) =>
      assert.equal(JSON.stringify(parseRichDependency(format(dependency))), JSON.stringify(dependency)),
    ),
  );
});

function codeOf(text: string): string {
  try {
    parseRichDependency(text);
    return 'none';
  } catch (thrown) {
    assert.ok(thrown instanceof ReactorError, String(thrown));
    return thrown.code;
  }
}

test('a rich dependency nested ten thousand levels deep is a typed error', () => {
  assert.equal(codeOf(`${'('.repeat(10_000)}a${')'.repeat(10_000)}`), 'dependency.too_deep');
  assert.equal(codeOf('('.repeat(100_000)), 'dependency.too_deep');
  assert.equal(codeOf(`${'('.repeat(RICH_DEPTH_LIMIT)}a${')'.repeat(RICH_DEPTH_LIMIT)}`), 'none');
});

test('a rich dependency of a hundred thousand characters is read', () => {
  const names = Array.from({ length: 20_000 }, (_, at) => `p${at}`);
  const read = parseRichDependency(`(${names.join(' or ')})`);
  assert.ok(read.kind === 'or' && read.operands.length === 20_000);
  assert.equal(codeOf(`(${'a'.repeat(100_000)})`), 'none');
});

test('what is no rich dependency is a typed error', () => {
  for (const text of [
    '',
    '(',
    '()',
    '(a',
    '(a b)',
    '(a and)',
    '(and b)',
    '(a and b or c)',
    '(a if b if c)',
    '(a >= )',
    '(a) b',
    'a',
    '(a else b)',
  ]) {
    assert.equal(codeOf(text), 'dependency.rich_invalid', text);
  }
});

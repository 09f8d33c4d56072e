import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { gather } from '../../../src/composer/gather/gather.ts';
import { parseRichDependency, type RichDependency } from '../../../src/rpm/rich-dependency.ts';
import { indexOfSmall, type SmallPackage } from './small-universe.ts';

const leaf = fc.constantFrom('a', 'b', 'c', 'd', 'shared', 'nothing');
const text = fc.letrec<{ any: string; group: string }>((tie) => ({
  any: fc.oneof({ maxDepth: 3, depthSize: 'small' }, leaf, tie('group')),
  group: fc.oneof(
    fc
      .tuple(fc.constantFrom('and', 'or'), fc.array(tie('any'), { minLength: 2, maxLength: 3 }))
      .map(([operator, operands]) => `(${operands.join(` ${operator} `)})`),
    fc.tuple(leaf, fc.constantFrom('with', 'without'), leaf).map((parts) => `(${parts.join(' ')})`),
    fc.tuple(tie('any'), tie('any')).map(([then, condition]) => `(${then} if ${condition})`),
    fc.tuple(tie('any'), leaf, tie('any')).map(([a, c, d]) => `(${a} if ${c} else ${d})`),
  ),
})).group;

const provided: Readonly<Record<string, readonly string[]>> = {
  a: ['a', 'shared'],
  b: ['b', 'shared'],
  c: ['c'],
  d: ['d'],
};

/** What a truth table says of a rich dependency with these packages installed. */
function isTrue(rich: RichDependency, installed: ReadonlySet<string>): boolean {
  const providersOf = (rich: RichDependency): string[] => {
    if (rich.kind !== 'plain') throw new Error('with and without stand between names here');
    const { name } = rich.dependency;
    return [...installed].filter((member) => provided[member]?.includes(name) === true);
  };
  switch (rich.kind) {
    case 'plain':
      return providersOf(rich).length > 0;
    case 'and':
      return rich.operands.every((operand) => isTrue(operand, installed));
    case 'or':
      return rich.operands.some((operand) => isTrue(operand, installed));
    case 'with': {
      const [left = [], right = []] = rich.operands.map(providersOf);
      return left.some((provider) => right.includes(provider));
    }
    case 'without':
      return providersOf(rich.left).some((provider) => !providersOf(rich.right).includes(provider));
    case 'if':
      return isTrue(rich.condition, installed)
        ? isTrue(rich.consequent, installed)
        : rich.otherwise === null || isTrue(rich.otherwise, installed);
    case 'unless':
      throw new Error('unless is not legal in a requirement');
    default:
      return rich satisfies never;
  }
}

function resultOf(dependency: string): { installed: Set<string>; isResolved: boolean } {
  const packages: SmallPackage[] = Object.entries(provided).map(([name, provides]) => ({ name, provides }));
  const index = indexOfSmall([...packages, { name: 'wants', requires: [dependency] }]);
  const result = gather({}, index, { arch: 'x86_64', packages: ['wants'] });
  return {
    installed: new Set(result.binary.map((id) => index.nameOf(id)).filter((name) => name !== 'wants')),
    isResolved: result.unresolved.length === 0,
  };
}

test('what gather takes for a rich dependency makes it true', () => {
  fc.assert(
    fc.property(text, (dependency) => {
      const { installed, isResolved } = resultOf(dependency);
      const holds = isTrue(parseRichDependency(dependency), installed);
      assert.ok(!isResolved || holds, `${dependency} with ${[...installed].join(' ')}`);
    }),
    { numRuns: 2000 },
  );
});

test('a rich dependency without conditions is unresolved only when no choice of packages makes it true', () => {
  fc.assert(
    fc.property(
      text.filter((dependency) => !dependency.includes(' if ')),
      (dependency) => {
        const rich = parseRichDependency(dependency);
        const isPossible =
          isTrue(rich, new Set(['a', 'b', 'c', 'd'])) ||
          ['a', 'b'].some((name) => isTrue(rich, new Set([name, 'c', 'd'])));
        assert.equal(resultOf(dependency).isResolved, isPossible, dependency);
      },
    ),
    { numRuns: 2000 },
  );
});

test('the package that any side could give, chosen as one, is always taken', () => {
  const { installed } = resultOf('((c and d) if nothing)');
  assert.deepEqual([...installed].sort(), ['c', 'd']);
  assert.deepEqual([...resultOf('(a if nothing else d)').installed].sort(), ['a', 'd']);
  assert.deepEqual([...resultOf('(a or b)').installed], ['a']);
  assert.deepEqual([...resultOf('(shared without a)').installed], ['b']);
});

test('a condition is judged by the whole result: without it nothing is broken, with it what it asks for must be there', () => {
  const unresolvedOf = (input: string[]): string[] => {
    const index = indexOfSmall([
      { name: 'wants', requires: ['(absent if late)'] },
      { name: 'brings', requires: ['middle'] },
      { name: 'middle', requires: ['late'] },
      { name: 'late' },
    ]);
    const result = gather({}, index, { arch: 'x86_64', packages: input });
    return result.unresolved.map(({ by, dependency }) => `${index.nameOf(by)}: ${dependency}`);
  };
  assert.deepEqual(unresolvedOf(['wants']), []);
  assert.deepEqual(unresolvedOf(['wants', 'brings']), ['wants: (absent if late)']);
});

test('what is asked for unless something else is there is not missed where that is there', () => {
  const index = indexOfSmall([{ name: 'wants', requires: ['(absent unless there)'] }, { name: 'there' }]);
  const unresolved = (packages: string[]): unknown[] =>
    gather({}, index, { arch: 'x86_64', packages }).unresolved.map(({ dependency }) => dependency);
  assert.deepEqual(unresolved(['wants', 'there']), []);
  assert.deepEqual(unresolved(['wants']), ['(absent unless there)']);
});

test('of alternatives one that nothing can make true is passed over, whatever its conditions are', () => {
  for (const condition of ['if', 'unless']) {
    assert.deepEqual(
      [...resultOf(`((nothing ${condition} b else nothing) or c)`).installed],
      ['c'],
      condition,
    );
    assert.deepEqual([...resultOf(`((nothing ${condition} b else a) or c)`).installed], ['a'], condition);
  }
});

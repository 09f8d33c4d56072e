import type { EvrOperator, FieldTest, Quantifier, Scalar, ScalarPattern } from '../model/rule.ts';
import { isGlob } from '../model/glob.ts';
import type { MatchBlock } from './rule-schema.ts';

/** The field and quantifier of a key: `builds[]` some, `builds[all]`, `builds[none]`; null for a plain field. */
export function readElementKey(
  key: string,
): { readonly field: string; readonly quantifier: Quantifier } | null {
  const match = /^([a-z_]+)\[(all|none)?\]$/.exec(key);
  if (match === null) return null;
  const word = match[2];
  return { field: match[1] ?? '', quantifier: word === 'all' || word === 'none' ? word : 'some' };
}

/** Turns a `match` or `unless` block into the tests the matcher runs, cheap ones in the order written. */
export function compileMatch(block: MatchBlock): readonly FieldTest[] {
  return Object.entries(block).flatMap(([key, wanted]): FieldTest[] => {
    const element = readElementKey(key);
    if (element === null) return compileField(key, wanted);
    const inner = isPlainObject(wanted) ? Object.entries(wanted) : [];
    const tests = inner.flatMap(([field, value]) => compileField(field, value));
    return [{ field: element.field, op: element.quantifier, tests }];
  });
}

function compileField(field: string, wanted: unknown): FieldTest[] {
  if (!isPlainObject(wanted)) return [{ field, op: 'any_of', values: toPatterns(wanted) }];
  return Object.entries(wanted).flatMap(([operator, value]): FieldTest[] => {
    switch (operator) {
      case 'is':
        return [{ field, op: 'any_of', values: toValues(value) }];
      case 'in':
        return [{ field, op: 'any_of', values: toPatterns(value) }];
      case 'not':
        return [{ field, op: 'none_of', values: toPatterns(value) }];
      case 'exists':
        return [{ field, op: 'exists', wanted: value === true }];
      case 'gt':
      case 'gte':
      case 'lt':
      case 'lte':
        return typeof value === 'number' ? [{ field, op: operator, wanted: value }] : [];
      default:
        return isEvrOperator(operator) ? [{ field, op: operator, wanted: String(value) }] : [];
    }
  });
}

/** Whether the operator compares versions in RPM order. */
export function isEvrOperator(operator: string): operator is EvrOperator {
  return (
    operator === 'at_least' ||
    operator === 'at_most' ||
    operator === 'newer_than' ||
    operator === 'older_than'
  );
}

/** Whether a value of a match block is an object of operators or of element fields. */
export function isPlainObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function toPatterns(value: unknown): readonly ScalarPattern[] {
  return scalarsOf(value).map((scalar) => ({
    value: scalar,
    glob: typeof scalar === 'string' && isGlob(scalar),
  }));
}

/** The same for values that are compared as they are. */
function toValues(value: unknown): readonly ScalarPattern[] {
  return scalarsOf(value).map((scalar) => ({ value: scalar, glob: false }));
}

function scalarsOf(value: unknown): readonly Scalar[] {
  const values: readonly unknown[] = Array.isArray(value) ? value : [value];
  return values.filter(isScalar);
}

function isScalar(value: unknown): value is Scalar {
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean';
}

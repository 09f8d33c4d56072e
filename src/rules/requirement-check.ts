import { nearestWord } from '../model/did-you-mean.ts';
import type { FilePath, ReportProblem } from '../model/file-problem.ts';
import { isGlob } from '../model/glob.ts';
import { checkWord } from './check-word.ts';
import {
  DAY_PATTERN,
  requirementChecks,
  TIME_PATTERN,
  type RequirementParameter,
} from './requirement-names.ts';
import { isPlainObject } from './rule-match.ts';

/** Reports a state check that there is not, parameters that it has not or misses, and values that they cannot have. */
export function checkRequirementShape(
  check: string,
  parameters: unknown,
  path: FilePath,
  report: ReportProblem,
): void {
  const known = requirementChecks[check];
  if (known === undefined) {
    const near = nearestWord(check, Object.keys(requirementChecks));
    report(
      'rule.requirement_unknown',
      { key: path },
      `There is no check "${check}"${near === null ? '.' : `; did you mean "${near}"?`}`,
      `There are: ${Object.keys(requirementChecks).join(', ')}.`,
    );
    return;
  }
  const given = isPlainObject(parameters) ? Object.entries(parameters) : [];
  for (const [key, value] of given) {
    const parameter = known[key];
    if (parameter !== undefined) {
      checkParameter(`${key} of ${check}`, parameter, value, { path: [...path, key], report });
      continue;
    }
    const near = nearestWord(key, Object.keys(known));
    report(
      'rule.key_unknown',
      { key: [...path, key] },
      `${check} has no "${key}"${near === null ? '.' : `; did you mean "${near}"?`}`,
    );
  }
  for (const [key, { isRequired }] of Object.entries(known)) {
    if (isRequired && !given.some(([name]) => name === key)) {
      report('rule.key_missing', { key: path }, `${check} needs "${key}".`);
    }
  }
}

const wanted = {
  text: 'one text',
  list: 'a text or a list of texts',
  days: 'a list of days such as [mon, tue]',
  switch: 'true or false',
  time: 'a time of day such as "09:30", in quotes',
} as const satisfies Record<RequirementParameter['shape'], string>;

function checkParameter(
  what: string,
  { shape, words }: RequirementParameter,
  value: unknown,
  { path, report }: { readonly path: FilePath; readonly report: ReportProblem },
): void {
  if (typeof value === 'string' && value.includes('${')) return;
  if (!isOfShape(shape, value)) {
    report('rule.parameter_invalid', path, `The ${what} is ${wanted[shape]}.`);
    return;
  }
  if (words === undefined) return;
  for (const word of Array.isArray(value) ? value : [value]) {
    if (typeof word !== 'string' || word.includes('${')) continue;
    if (isGlob(word)) report('rule.parameter_invalid', path, `The ${what} is no pattern.`);
    else checkWord(what, words, word, path, report);
  }
}

function isOfShape(shape: RequirementParameter['shape'], value: unknown): boolean {
  switch (shape) {
    case 'text':
      return typeof value === 'string';
    case 'list':
      return typeof value === 'string' || isTexts(value);
    case 'days':
      return isTexts(Array.isArray(value) ? value : [value], DAY);
    case 'switch':
      return typeof value === 'boolean';
    case 'time':
      return typeof value === 'string' && TIME.test(value);
    default:
      return shape satisfies never;
  }
}

const TIME = new RegExp(TIME_PATTERN);
const DAY = new RegExp(DAY_PATTERN);

function isTexts(value: unknown, pattern: RegExp = /^/): boolean {
  return Array.isArray(value) && value.every((word) => typeof word === 'string' && pattern.test(word));
}

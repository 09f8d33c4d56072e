import type { DomainEvent, InputEvent } from '../model/event.ts';
import { compareEvr, compareVersions, parseEvr } from '../model/evr.ts';
import { matchGlob } from '../model/glob.ts';
import { splitHub } from '../model/hub-name.ts';
import type { EvrOperator, FieldTest, Rule, ScalarPattern, Trigger } from '../model/rule.ts';

export type Answer = 'yes' | 'no' | 'unknown';

/** What one test asked of one field, and what it found. */
export interface TrailStep {
  readonly field: string;
  readonly wanted: string;
  /** What the event has, shortened; null where it does not say. */
  readonly got: string | null;
  readonly answer: Answer;
  /** Whether the step stands under `unless`, where `yes` excludes. */
  readonly unless: boolean;
}

/** The answer of one rule to one event. */
export interface Match {
  readonly rule: string;
  readonly answer: Answer;
  /** Which of the rule's triggers decided. */
  readonly trigger: number;
  readonly trail: readonly TrailStep[];
  /** The step that decided; null where the answer is yes. */
  readonly decidedBy: TrailStep | null;
}

/** Longest string that is looked at; what is longer is cut and marked. Source: RULES 5, untrusted messages. */
const MAX_TEXT = 1024;
const MAX_ELEMENTS = 20_000;

type Fields = Readonly<Record<string, unknown>>;
type PatternTest = Extract<FieldTest, { readonly op: 'any_of' | 'none_of' }>;

/**
 * Returns whether the rule fires on the event: `yes` if any trigger of the event's kind holds, else `unknown` if
 * one could not be judged because the message lacks a field, else `no`. Null where no trigger names the kind.
 */
export function matchRule(rule: Rule, input: InputEvent): Match | null {
  let best: Match | null = null;
  for (let index = 0; index < rule.triggers.length; index += 1) {
    const trigger = rule.triggers[index];
    if (trigger === undefined || trigger.event !== input.event.kind) continue;
    const match = matchTrigger(rule.name, trigger, index, input);
    if (match.answer === 'yes') return match;
    if (best === null || (best.answer === 'no' && match.answer === 'unknown')) best = match;
  }
  return best;
}

/** Whether `unless` of every trigger of the event's kind holds, whatever their `match` says; false where there is none. */
export function isExcluded(rule: Rule, input: InputEvent): boolean {
  const triggers = rule.triggers.filter(
    (trigger) => trigger.event === input.event.kind && judgeHub(trigger, input.event) === null,
  );
  const fields: Fields = { ...input, ...input.event };
  return (
    triggers.length > 0 &&
    triggers.every(
      ({ unless }) =>
        unless.length > 0 &&
        allOf(unless.map((test) => judgeStep(test, (field) => fields[field], 'unless').answer)) === 'yes',
    )
  );
}

function matchTrigger(rule: string, trigger: Trigger, index: number, input: InputEvent): Match {
  const trail: TrailStep[] = [];
  const fields: Fields = { ...input.event };
  const envelope: Fields = { ...input };
  const read = (field: string): unknown => (field in fields ? fields[field] : envelope[field]);
  const elsewhere = judgeHub(trigger, input.event);
  if (elsewhere !== null) {
    return { rule, answer: 'no', trigger: index, trail: [elsewhere], decidedBy: elsewhere };
  }
  let answer: Answer = 'yes';
  let decidedBy: TrailStep | null = null;
  for (const test of trigger.match) {
    const step = judgeStep(test, read, 'match');
    trail.push(step);
    if (step.answer === 'no') return { rule, answer: 'no', trigger: index, trail, decidedBy: step };
    if (step.answer === 'unknown' && answer === 'yes') {
      answer = 'unknown';
      decidedBy = step;
    }
  }
  if (trigger.unless.length > 0) {
    const steps = trigger.unless.map((test) => judgeStep(test, read, 'unless'));
    trail.push(...steps);
    const excluded = allOf(steps.map((step) => step.answer));
    if (excluded === 'yes') {
      return { rule, answer: 'no', trigger: index, trail, decidedBy: steps.at(-1) ?? null };
    }
    if (excluded === 'unknown' && answer === 'yes') {
      answer = 'unknown';
      decidedBy = steps.find((step) => step.answer === 'unknown') ?? null;
    }
  }
  return { rule, answer, trigger: index, trail, decidedBy };
}

/** The fields whose values are of a Koji hub and are written with it where it is not the default one. */
const hubFields: ReadonlySet<string> = new Set([
  'tag',
  'feeds',
  'nvr',
  'koji_tag',
  'dist_tag',
  'from_side_tag',
]);

/**
 * A trigger hears of a hub beside the default one only where it names that hub: in a tag or build of its `match`, or by
 * `hub` or `instance`. Returns the step that says that it does not; null where the trigger may fire.
 */
function judgeHub({ match }: Trigger, event: DomainEvent): TrailStep | null {
  const hub = 'hub' in event ? (event.hub ?? null) : null;
  if (hub === null || match.some((test) => namesHub(test, hub))) return null;
  return { field: 'hub', wanted: 'the default hub', got: hub, answer: 'no', unless: false };
}

function namesHub(test: FieldTest, hub: string): boolean {
  if (test.op !== 'any_of') return false;
  if (test.field === 'hub' || test.field === 'instance') return isAnyOf(test, hub);
  if (!hubFields.has(test.field)) return false;
  return test.values.some(({ value }) => typeof value === 'string' && splitHub(value).hub === hub);
}

function judgeStep(test: FieldTest, read: (field: string) => unknown, block: 'match' | 'unless'): TrailStep {
  const value = read(sourceField(test));
  return {
    field: test.field,
    wanted: describeTest(test),
    got: value === undefined || value === null ? null : shorten(value),
    answer: judge(test, value),
    unless: block === 'unless',
  };
}

/** The event's field a test reads: `evr` is the tail of the NVR. */
function sourceField(test: FieldTest): string {
  return test.op === 'at_least' ||
    test.op === 'at_most' ||
    test.op === 'newer_than' ||
    test.op === 'older_than'
    ? test.field.replace(/evr$/, 'nvr')
    : test.field;
}

function judge(test: FieldTest, value: unknown): Answer {
  if (test.op === 'exists') {
    const isThere = value !== undefined && value !== null;
    return isThere === test.wanted ? 'yes' : 'no';
  }
  // Events of the default hub do not say it.
  if (test.field === 'hub' && (value === undefined || value === null)) return toAnswer(test.op === 'none_of');
  if (value === undefined || value === null) return 'unknown';
  switch (test.op) {
    case 'any_of':
      return toAnswer(hasAnyOf(test, value));
    case 'none_of':
      return toAnswer(!hasAnyOf(test, value));
    case 'gt':
    case 'gte':
    case 'lt':
    case 'lte':
      return typeof value === 'number' ? toAnswer(compareNumbers(test.op, value, test.wanted)) : 'unknown';
    case 'at_least':
    case 'at_most':
    case 'newer_than':
    case 'older_than':
      return typeof value === 'string' ? compareNvr(test.op, value, test.wanted) : 'unknown';
    case 'some':
      return anyOf(judgeElements(test.tests, value));
    case 'all':
      return allOf(judgeElements(test.tests, value));
    case 'none':
      return not(anyOf(judgeElements(test.tests, value)));
    default:
      return test satisfies never;
  }
}

function judgeElements(tests: readonly FieldTest[], value: unknown): Answer[] {
  if (!Array.isArray(value)) return ['unknown'];
  return value.slice(0, MAX_ELEMENTS).map((element: unknown) => {
    if (typeof element !== 'object' || element === null) return 'unknown';
    const fields: Fields = { ...element };
    return allOf(tests.map((test) => judge(test, fields[sourceField(test)])));
  });
}

function hasAnyOf({ field, values }: PatternTest, value: unknown): boolean {
  return Array.isArray(value)
    ? value.slice(0, MAX_ELEMENTS).some((element) => isAnyOf({ field, values }, element))
    : isAnyOf({ field, values }, value);
}

function isAnyOf({ field, values }: Pick<PatternTest, 'field' | 'values'>, value: unknown): boolean {
  for (const { value: wanted, glob } of values) {
    if (glob && typeof wanted === 'string') {
      if (typeof value !== 'string' || !matchGlob(wanted, value.slice(0, MAX_TEXT))) continue;
      // A pattern without a hub means the default one, so that `*` is no name of another hub.
      if (!hubFields.has(field) || splitHub(wanted).hub === splitHub(value).hub) return true;
    } else if (typeof value === 'string' ? wanted === value.slice(0, MAX_TEXT) : wanted === value) {
      return true;
    }
  }
  return false;
}

function compareNumbers(op: 'gt' | 'gte' | 'lt' | 'lte', got: number, wanted: number): boolean {
  if (op === 'gt') return got > wanted;
  if (op === 'gte') return got >= wanted;
  return op === 'lt' ? got < wanted : got <= wanted;
}

/**
 * Compares the version and release of an NVR in RPM order. Messages do not say the epoch: where the rule names
 * one other than 0 the answer is unknown rather than wrong.
 */
function compareNvr(op: EvrOperator, nvr: string, wanted: string): Answer {
  const release = nvr.lastIndexOf('-');
  const version = nvr.lastIndexOf('-', release - 1);
  if (version <= 0) return 'unknown';
  const limit = parseEvr(wanted);
  if (limit.epoch !== '0') return 'unknown';
  const got = { epoch: '0', version: nvr.slice(version + 1, release), release: nvr.slice(release + 1) };
  const order = limit.release === '' ? compareVersions(got.version, limit.version) : compareEvr(got, limit);
  if (op === 'at_least') return toAnswer(order >= 0);
  if (op === 'at_most') return toAnswer(order <= 0);
  return toAnswer(op === 'newer_than' ? order > 0 : order < 0);
}

function toAnswer(holds: boolean): Answer {
  return holds ? 'yes' : 'no';
}

function not(answer: Answer): Answer {
  if (answer === 'unknown') return 'unknown';
  return answer === 'yes' ? 'no' : 'yes';
}

function allOf(answers: readonly Answer[]): Answer {
  if (answers.includes('no')) return 'no';
  return answers.includes('unknown') ? 'unknown' : 'yes';
}

function anyOf(answers: readonly Answer[]): Answer {
  if (answers.includes('yes')) return 'yes';
  return answers.includes('unknown') ? 'unknown' : 'no';
}

/** Says what a test asks, in words close to the file's. */
function describeTest(test: FieldTest): string {
  switch (test.op) {
    case 'any_of':
      return test.values.length === 1 ? String(test.values[0]?.value) : `one of ${joinValues(test.values)}`;
    case 'none_of':
      return `not ${test.values.length === 1 ? '' : 'one of '}${joinValues(test.values)}`;
    case 'exists':
      return test.wanted ? 'to be said' : 'not to be said';
    case 'gt':
    case 'gte':
    case 'lt':
    case 'lte':
      return `${{ gt: '>', gte: '>=', lt: '<', lte: '<=' }[test.op]} ${test.wanted}`;
    case 'at_least':
    case 'at_most':
    case 'newer_than':
    case 'older_than':
      return `${test.op.replace('_', ' ')} ${test.wanted}`;
    case 'some':
    case 'all':
    case 'none':
      return `${test.op} with ${test.tests.map((inner) => `${inner.field} ${describeTest(inner)}`).join(' and ')}`;
    default:
      return test satisfies never;
  }
}

function joinValues(values: readonly ScalarPattern[]): string {
  return values.map(({ value }) => String(value)).join(', ');
}

function shorten(value: unknown): string {
  const text = Array.isArray(value)
    ? value.slice(0, 8).map(describeElement).join(', ') + (value.length > 8 ? `, … (${value.length})` : '')
    : typeof value === 'object'
      ? JSON.stringify(value)
      : String(value);
  if (typeof value === 'string' && value.length > MAX_TEXT) return `${text.slice(0, 200)}… (truncated)`;
  return text.length > 200 ? `${text.slice(0, 200)}…` : text;
}

function describeElement(element: unknown): string {
  if (typeof element !== 'object' || element === null) return String(element).slice(0, 60);
  return 'nvr' in element && typeof element.nvr === 'string'
    ? element.nvr
    : JSON.stringify(element).slice(0, 60);
}

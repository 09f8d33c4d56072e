import type { InputEvent } from '../model/event.ts';
import type { Rule } from '../model/rule.ts';
import { matchRule, type Match } from './match.ts';

/** One sentence that says why the rule fires or does not. */
export function explainMatch(match: Match): string {
  const step = match.decidedBy;
  if (match.answer === 'yes') return `${match.rule} fires: every field it asks for holds.`;
  if (step === null) return `${match.rule} does not fire.`;
  if (match.answer === 'unknown') {
    return `${match.rule} cannot tell: ${
      step.got === null
        ? `the message does not say "${step.field}"`
        : `"${step.field}" is ${step.got}, which cannot be judged by ${step.wanted}`
    }.`;
  }
  return step.unless
    ? `${match.rule} does not fire: "${step.field}" is ${step.got ?? 'not said'}, which \`unless\` excludes (${step.wanted}).`
    : `${match.rule} does not fire: "${step.field}" is ${step.got ?? 'not said'}, wanted ${step.wanted}.`;
}

/** What a rule makes of an event: the sentence, and each field with what was wanted and found. */
export interface Explanation {
  readonly rule: string;
  readonly kind: string;
  readonly answer: Match['answer'] | 'other_kind';
  readonly sentence: string;
  readonly trail: Match['trail'];
}

/** Explains one rule on one event through the matcher that the engine uses. */
export function explainRule(rule: Rule, input: InputEvent): Explanation {
  const match = matchRule(rule, input);
  const kind = input.event.kind;
  if (match === null) {
    const listened = [...new Set(rule.triggers.map((trigger) => trigger.event))].join(', ');
    return {
      rule: rule.name,
      kind,
      answer: 'other_kind',
      sentence: `${rule.name} does not listen to ${kind}${listened === '' ? '' : `, only to ${listened}`}.`,
      trail: [],
    };
  }
  return { rule: rule.name, kind, answer: match.answer, sentence: explainMatch(match), trail: match.trail };
}

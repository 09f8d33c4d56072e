import assert from 'node:assert/strict';
import type { Rule } from '../../src/model/rule.ts';
import { formatProblems, readRuleFile } from '../../src/rules/rule-file.ts';

/** A rule file named `nightly` with the given lines after the obligatory ones. */
export function ruleText(on: string, rest = ''): string {
  return `version: 1
name: nightly
owner: rel-eng
description: A test.
on:
${on
  .split('\n')
  .map((line) => `  ${line}`)
  .join('\n')}
compose:
  source: { type: tag, source: f44 }
${rest}`;
}

/** Reads a rule that must be right. */
export function readRule(text: string, file = 'nightly.yaml'): Rule {
  const reading = readRuleFile(file, text);
  if (!reading.ok) assert.fail(formatProblems(reading.problems));
  return reading.rule;
}

/** The problems of a rule that must be wrong, as `line:column code message`. */
export function problemsOf(text: string, file = 'nightly.yaml'): string[] {
  const reading = readRuleFile(file, text);
  assert.equal(reading.ok, false, 'the file should be refused');
  return reading.ok
    ? []
    : reading.problems.map(({ line, column, code, message }) => `${line}:${column} ${code} ${message}`);
}

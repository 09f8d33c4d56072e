import { basename } from 'node:path';
import { mayRead, type Reader } from '../model/readers.ts';
import { readersOfRule } from '../model/rule-readers.ts';
import type { Rule, RuleSet } from '../model/rule.ts';
import type { FileProblem } from '../model/file-problem.ts';

/** Returns whether a file has `readers`; of one that cannot be understood only its text tells. */
export function namesReaders(text: string): boolean {
  return /^["']?readers["']?\s*:/m.test(text);
}

/**
 * Returns whether somebody may read what is wrong with a rule file. A problem quotes its file, and may name other rules:
 * where one of them is private in the set that runs, its readers may; where only the file says that it is, those who
 * may read everything.
 */
export function mayReadProblem(
  reader: Reader,
  problem: FileProblem,
  { rules }: Pick<RuleSet, 'rules'>,
): boolean {
  if (reader.readsAll) return true;
  const words = `${problem.message} ${problem.hint ?? ''}`;
  const named = rules.filter(
    (rule) => rule.readers !== null && (isOfFile(rule, problem) || words.includes(rule.name)),
  );
  const isHidden = named.some(
    (rule) => !mayRead(reader, { owner: rule.owner, readers: readersOfRule(rule) }),
  );
  return !isHidden && (problem.isPrivate !== true || named.some((rule) => isOfFile(rule, problem)));
}

function isOfFile({ name }: Rule, { file }: FileProblem): boolean {
  return basename(file).replace(/\.ya?ml$/, '') === name;
}

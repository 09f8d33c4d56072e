import { nearestWord } from '../model/did-you-mean.ts';
import type { FilePath, ReportProblem } from '../model/file-problem.ts';
import { isGlob, matchGlob } from '../model/glob.ts';

/** Reports a word that is none of a closed list; a pattern has to fit one of them at least. */
export function checkWord(
  key: string,
  words: readonly string[],
  value: string,
  path: FilePath,
  report: ReportProblem,
): void {
  if (words.includes(value) || (isGlob(value) && words.some((word) => matchGlob(value, word)))) return;
  const near = nearestWord(value, words) ?? words.find((word) => word.toLowerCase() === value.toLowerCase());
  report(
    'rule.word_unknown',
    path,
    `"${key}" is never "${value}"${near === undefined ? '.' : `; did you mean "${near}"?`}`,
    `It is one of ${words.join(', ')}.`,
  );
}

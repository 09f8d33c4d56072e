import type { Database } from '../../database/database.ts';
import type { Log } from '../../log.ts';
import { publicReader } from '../../model/readers.ts';
import { startRules, type RunningRules } from '../../rules/start-rules.ts';
import { mayReadProblem } from '../../rules/problem-readers.ts';
import type { StateSources } from '../../rules/require.ts';
import type { RunningRole } from './running-role.ts';

export interface RulesRoleInput {
  readonly database: Database;
  readonly log: Log;
  /** Directory of rule files. */
  readonly rulesDir: string;
  readonly sources: StateSources;
}

/** Judges events by the rule files and asks for composes, until stopped. */
export async function startRulesRole(
  input: RulesRoleInput,
): Promise<RunningRole & { readonly rules: RunningRules }> {
  const rules = await startRules(input);
  return {
    rules,
    health() {
      // Everybody may ask how the service is.
      const [problem] = rules.problems.filter((candidate) =>
        mayReadProblem(publicReader, candidate, rules.set),
      );
      const isWell = rules.problems.length === 0;
      const wrong = problem === undefined ? 'rule files are wrong' : `${problem.file}: ${problem.message}`;
      const detail = isWell
        ? `${rules.set.rules.length} rules run, set ${rules.set.version.slice(0, 12)}.`
        : `The last good set of ${rules.set.rules.length} rules runs; ${wrong}`;
      const rulesPart = { name: 'rules', isWell, detail };
      const [lost] = rules.withoutTag;
      if (lost === undefined) return [rulesPart];
      const open = new Set(rules.set.rules.flatMap(({ name, readers }) => (readers === null ? [name] : [])));
      const names = rules.withoutTag.map(({ rule }) => (open.has(rule) ? rule : 'a private rule')).join(', ');
      return [
        rulesPart,
        {
          name: 'rules.tags',
          isWell: false,
          detail: `The Koji tag of ${names} is gone or renamed, since ${lost.goneAt.toISOString()} at the latest.`,
        },
      ];
    },
    drain: 'stop',
    stop: () => rules.stop(),
  };
}

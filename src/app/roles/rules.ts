import type { Database } from '../../database/database.ts';
import type { Log } from '../../log.ts';
import { startRules, type RunningRules } from '../../rules/start-rules.ts';
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
      const [problem] = rules.problems;
      const detail =
        problem === undefined
          ? `${rules.set.rules.length} rules run, set ${rules.set.version.slice(0, 12)}.`
          : `The last good set of ${rules.set.rules.length} rules runs; ${problem.file}: ${problem.message}`;
      const rulesPart = { name: 'rules', isWell: problem === undefined, detail };
      const [lost] = rules.withoutTag;
      if (lost === undefined) return [rulesPart];
      const names = rules.withoutTag.map(({ rule }) => rule).join(', ');
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

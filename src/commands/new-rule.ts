import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { messageOf, ReactorError } from '../model/errors.ts';
import { formatProblem } from '../model/file-problem.ts';
import { readRuleFile } from '../rules/rule-file.ts';
import type { ActionContext } from './command.ts';
import { formatRule, neededOptions, type RuleNeed } from './rule-template.ts';

export interface NewRuleOptions {
  readonly source?: string | undefined;
  readonly package?: readonly string[] | undefined;
  readonly release?: string | undefined;
  readonly owner: string;
  readonly print?: true | undefined;
  readonly json?: true | undefined;
}

/**
 * Writes the file of a new rule into a directory, or prints it. Throws `command.option_missing` where the need wants more,
 * `rules.invalid` where what was said makes no valid rule, `rules.exists` where there is a file of that name.
 */
export async function newRule(
  context: ActionContext,
  { name, need }: { readonly name: string; readonly need: RuleNeed },
  { options, directory }: { readonly options: NewRuleOptions; readonly directory: () => string },
): Promise<number> {
  for (const option of neededOptions(need)) {
    if (options[option] !== undefined) continue;
    throw new ReactorError('command.option_missing', `A rule for "${need}" needs --${option}.`, {
      hint: 'odcs-reactor rules new --help tells what each means.',
    });
  }
  const text = formatRule({
    name,
    need,
    owner: options.owner,
    source: options.source ?? '',
    packages: options.package ?? [],
    release: options.release ?? '',
  });
  const reading = readRuleFile(`${name}.yaml`, text);
  if (!reading.ok) {
    const [first] = reading.problems;
    throw new ReactorError('rules.invalid', first === undefined ? 'No rule.' : formatProblem(first));
  }
  const isJson = options.json === true;
  const { mode } = reading.rule;
  if (options.print === true) {
    context.stdout(isJson ? `${JSON.stringify({ name, mode, file: null, text })}\n` : text);
    return 0;
  }
  const place = directory();
  const file = join(place, `${name}.yaml`);
  try {
    await mkdir(place, { recursive: true });
    await writeFile(file, text, { flag: 'wx' });
  } catch (cause) {
    const isThere = cause instanceof Error && 'code' in cause && cause.code === 'EEXIST';
    const why = isThere
      ? 'There is such a file already.'
      : `The file cannot be written: ${messageOf(cause)}.`;
    throw new ReactorError('rules.exists', why, {
      where: file,
      hint: 'Take another name, or print the rule with --print.',
      cause,
    });
  }
  if (isJson) {
    context.stdout(`${JSON.stringify({ name, mode, file, text })}\n`);
    return 0;
  }
  context.stdout(`${file}
It is in shadow: it decides and composes nothing until its mode is active. What it would do:
  odcs-reactor rules check ${place}
  odcs-reactor rules backtest ${name} --rules ${place} --since 7d
What runs it: ODCS_RULES_DIR=${place} odcs-reactor serve
`);
  return 0;
}

import { loadConfig, type Config } from '../config.ts';
import { requestDefaults } from '../model/compose-request.ts';
import { ReactorError } from '../model/errors.ts';
import type { Rule } from '../model/rule.ts';
import { backtestRule } from '../rules/backtest.ts';
import { diffRules } from '../rules/diff-rules.ts';
import { explainRule } from '../rules/explain.ts';
import { readRules } from '../rules/reload.ts';
import { formatProblem } from '../model/file-problem.ts';
import { findRefusedRequests, type RequestSettings } from '../rules/find-refused-requests.ts';
import { drawTimeline } from '../rules/timeline.ts';
import type { Command, CommandContext } from './command.ts';
import { printBacktest, printExplanation } from './print-rules.ts';
import { readEvents } from './read-events.ts';
import { parseRulesArguments, type RulesOptions } from './rules-arguments.ts';
import { rulesOfService } from './rules-of-service.ts';

const help = `Usage: odcs-reactor rules check [DIRECTORY]
       odcs-reactor rules explain RULE EVENT|FILE
       odcs-reactor rules backtest RULE [--since 7d] [FILE|DIRECTORY …]
       odcs-reactor rules timeline RULE [--since 7d] [FILE|DIRECTORY …]
       odcs-reactor rules diff OLD-DIRECTORY NEW-DIRECTORY FILE|DIRECTORY …
       odcs-reactor rules list
       odcs-reactor rules pause|resume|trigger RULE [--reason TEXT] [--force]
       odcs-reactor rules decisions [--event ID] [--rule NAME] [--compose ID] [--limit N]

check      reads the rule files, holds what they ask for against the settings of the service (--config),
           and tells every mistake with its line; exit code 1 if there is any.
explain    says why a rule fires on an event or does not, field by field. EVENT is the number of an
           event of the service, FILE a recorded message.
backtest   says what a rule would have done: on recorded messages, or, without files, on the events
           that the service stored. Nothing is composed.
timeline   draws the settle windows of the same.
diff       tells the messages on which two sets of rules answer differently.
list, pause, resume, trigger, decisions   ask the running service.

Options:
  --rules DIR    directory of rule files (default: the setting rules_dir)
  --since TIME   how far back, for example 12h or 7d
  --reason TEXT  why; needed by pause and trigger
  --force        trigger: compose although nothing changed
  --server URL   http://127.0.0.1:5005 by default (also ODCS_SERVER)
  --token TOKEN  sent as a bearer token (also ODCS_TOKEN)
  --config FILE
  --json         JSON lines instead of text
`;

export const command: Command = {
  summary: 'Check, explain and try rules; pause, resume and trigger them',
  help,
  async run(context) {
    const { values, positionals } = parseRulesArguments(context.argv);
    const [verb = '', ...words] = positionals;
    switch (verb) {
      case 'check':
        return check(context, values, words);
      case 'explain':
        return explain(context, values, words);
      case 'backtest':
      case 'timeline':
        return backtest(context, values, words, verb);
      case 'diff':
        return diff(context, words, values);
      case 'list':
      case 'pause':
      case 'resume':
      case 'trigger':
      case 'decisions':
        return rulesOfService(context, verb, words, values);
      default:
        throw usage(verb === '' ? 'rules needs a verb.' : `rules cannot "${verb}".`);
    }
  },
};

function usage(message: string): ReactorError {
  return new ReactorError('rules.usage', message, { hint: 'odcs-reactor rules --help tells all of them.' });
}

function configOf(context: CommandContext, values: RulesOptions): Config {
  const file = values.config ?? context.environment['ODCS_REACTOR_CONFIG'];
  return loadConfig({ file, environment: context.environment }).config;
}

/** What the requests of rules are held to; the composer reads repositories as somebody on its own machine. */
function requestSettings(config: Config): RequestSettings {
  const { repo_roots: repoRoots, repo_hosts: repoHosts } = config;
  return {
    defaults: requestDefaults(config),
    repositories: { repoRoots, repoHosts, isLoopbackClient: true },
  };
}

function directoryOf(context: CommandContext, values: RulesOptions): string {
  if (values.rules !== undefined) return values.rules;
  const config = configOf(context, values);
  if (config.rules_dir !== '') return config.rules_dir;
  throw new ReactorError('rules.usage', 'No directory of rule files is configured.', {
    hint: 'Name it with --rules DIR, or set ODCS_RULES_DIR.',
  });
}

async function check(
  context: CommandContext,
  values: RulesOptions,
  words: readonly string[],
): Promise<number> {
  const directory = words[0] ?? directoryOf(context, values);
  const reading = await readRules(directory);
  const problems = reading.ok
    ? await findRefusedRequests(
        reading.set.rules,
        reading.documents,
        requestSettings(configOf(context, values)),
      )
    : reading.problems;
  if (reading.ok && problems.length === 0) {
    const { version, rules } = reading.set;
    const summary = rules.map(({ name, mode }) => ({ name, mode }));
    if (values.json === true) context.stdout(`${JSON.stringify({ ok: true, version, rules: summary })}\n`);
    else {
      for (const { name, mode } of summary) context.stdout(`${name} (${mode})\n`);
      context.stdout(
        `${rules.length} rule${rules.length === 1 ? '' : 's'} in ${directory}, set ${version}: no mistake found.\n`,
      );
    }
    return 0;
  }
  for (const problem of problems) {
    context.stdout(`${values.json === true ? JSON.stringify(problem) : formatProblem(problem)}\n`);
  }
  return 1;
}

async function loadRules(directory: string): Promise<readonly Rule[]> {
  const reading = await readRules(directory);
  if (reading.ok) return reading.set.rules;
  const [first] = reading.problems;
  throw new ReactorError(
    'rules.invalid',
    first === undefined ? 'The rules are wrong.' : formatProblem(first),
    {
      where: directory,
      hint: 'odcs-reactor rules check tells all mistakes.',
    },
  );
}

async function findRule(directory: string, name: string | undefined): Promise<Rule> {
  if (name === undefined) throw usage('The name of a rule is missing.');
  const rules = await loadRules(directory);
  const found = rules.find((rule) => rule.name === name);
  if (found !== undefined) return found;
  throw new ReactorError('rules.unknown', `There is no rule "${name}".`, {
    where: directory,
    hint: `There are: ${rules.map((rule) => rule.name).join(', ')}.`,
  });
}

/** The Koji hubs beside the default one, which recorded messages may be of. */
function hubsOf(context: CommandContext, values: RulesOptions): ReadonlySet<string> {
  return new Set(Object.keys(configOf(context, values).koji_hubs));
}

async function explain(
  context: CommandContext,
  values: RulesOptions,
  words: readonly string[],
): Promise<number> {
  const [name, event] = words;
  if (event === undefined) throw usage('explain needs a rule and an event.');
  if (/^\d+$/.test(event)) return rulesOfService(context, 'explain', words, values);
  const rule = await findRule(directoryOf(context, values), name);
  const { events, untranslated } = await readEvents([event], hubsOf(context, values));
  if (events.length === 0)
    context.stdout(`No rule sees this message: its topic is not translated (${untranslated} message).\n`);
  for (const { input } of events) printExplanation(context, explainRule(rule, input), values.json === true);
  return 0;
}

async function backtest(
  context: CommandContext,
  values: RulesOptions,
  words: readonly string[],
  verb: 'backtest' | 'timeline',
): Promise<number> {
  const [name, ...paths] = words;
  if (paths.length === 0) return rulesOfService(context, verb, words, values);
  const rule = await findRule(directoryOf(context, values), name);
  const { events } = await readEvents(paths, hubsOf(context, values));
  const result = backtestRule(rule, events);
  if (verb === 'timeline') context.stdout(drawTimeline(rule, result));
  else printBacktest(context, result, values.json === true);
  return 0;
}

async function diff(
  context: CommandContext,
  words: readonly string[],
  values: RulesOptions,
): Promise<number> {
  const [before, after, ...paths] = words;
  if (before === undefined || after === undefined || paths.length === 0) {
    throw usage('diff needs the directory before, the one after, and recorded messages.');
  }
  const { events } = await readEvents(paths, hubsOf(context, values));
  const differences = diffRules(await loadRules(before), await loadRules(after), events);
  for (const one of differences) {
    const { event, receivedAt, rule } = one;
    context.stdout(
      values.json === true
        ? `${JSON.stringify(one)}\n`
        : `${receivedAt} message ${event}, ${rule}: ${one.before} -> ${one.after}\n`,
    );
  }
  if (values.json !== true)
    context.stdout(`${differences.length} of ${events.length} messages are answered differently.\n`);
  return 0;
}

import { Option } from '@commander-js/extra-typings';
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
import { bySettings, collect, defineCommand, type ActionContext } from './command.ts';
import { newRule } from './new-rule.ts';
import { ruleNeeds } from './rule-template.ts';
import { printBacktest, printExplanation } from './print-rules.ts';
import { readEvents } from './read-events.ts';
import type { RulesOptions } from './rules-arguments.ts';
import { rulesOfService } from './rules-of-service.ts';
import { serviceOptions } from './service-options.ts';
import { testRules } from './test-rules.ts';
import { paintFor } from './paint.ts';
import { warnOfUnmade } from './warn-of-unmade.ts';

const about = { name: 'rules', summary: 'Check, explain and try rules; pause, resume and trigger them' };

const inDirectory = ['--rules <dir>', 'directory of rule files (default: the setting rules_dir)'] as const;
const farBack = ['--since <time>', 'how far back, for example 12h or 7d; of the stored events'] as const;

export const command = defineCommand(about, (parser, context, end) => {
  parser
    .command('check')
    .argument('[directory]')
    .description(
      'read the rule files, hold what they ask for against the settings of the service, and tell every mistake with its line; exit code 1 if there is any',
    )
    .option(...inDirectory)
    .option(...bySettings)
    .option('--json', 'JSON lines instead of text')
    .action(async (directory, options) =>
      end(await check(context, options, directory === undefined ? [] : [directory])),
    );
  parser
    .command('new')
    .argument('<name>', 'of the rule and its file: small letters, digits and dashes')
    .addOption(
      new Option(
        '--for <need>',
        'what leads to a compose: a change of a repository or Koji tag, a security update, …',
      )
        .choices(ruleNeeds)
        .makeOptionMandatory(),
    )
    .option('--source <source>', 'tag, pattern of side tags, or path or URL of a repository')
    .option(
      '--package <name>',
      'binary package to compose with what it needs; more than once; all by default',
      collect,
    )
    .option('--release <release>', 'of security updates: F44')
    .option('--owner <group>', 'group that may pause and trigger it', 'rel-eng')
    .option('--print', 'print it instead of writing a file')
    .option(...inDirectory)
    .option(...bySettings)
    .option('--json', 'JSON instead of text')
    .description('write the file of a rule, with comments, to begin with')
    .action(async (name, options) => {
      const directory = (): string => directoryOf(context, options);
      end(await newRule(context, { name, need: options.for }, { options, directory }));
    });
  parser
    .command('test')
    .argument('[paths...]', 'files NAME.test.yaml, or directories of them; the setting rules_dir by default')
    .description(
      'run the cases beside rules: messages in, answers and requests out; exit code 1 if any is otherwise than expected',
    )
    .option(...bySettings)
    .option('--json', 'JSON lines instead of text')
    .action(async (paths, options) => {
      const places = paths.length === 0 ? [directoryOf(context, options)] : paths;
      const hubs = hubsOf(context, options);
      end(await testRules({ context, isJson: options.json === true, hubs, findRule }, places));
    });
  serviceOptions(
    parser
      .command('explain')
      .argument('<rule>')
      .argument('<event>', 'the number of an event of the service, or the file of a recorded message')
      .option(...inDirectory)
      .option(...bySettings),
  )
    .description('say why a rule fires on an event or does not, field by field')
    .action(async (rule, event, options) => end(await explain(context, options, [rule, event])));
  for (const verb of ['backtest', 'timeline'] as const) {
    serviceOptions(
      parser
        .command(verb)
        .argument('<rule>')
        .argument(
          '[files...]',
          'recorded messages and directories of them; without, the events of the service',
        )
        .option(...farBack)
        .option(...inDirectory)
        .option(...bySettings),
    )
      .description(
        verb === 'backtest'
          ? 'say what a rule would have done; nothing is composed'
          : 'draw the settle windows that a rule would have had',
      )
      .action(async (rule, files, options) => end(await backtest(context, options, [rule, ...files], verb)));
  }
  parser
    .command('diff')
    .arguments('<old> <new> <files...>')
    .description('tell the messages on which two directories of rules answer differently')
    .option(...bySettings)
    .option('--json', 'JSON lines instead of text')
    .action(async (before, after, files, options) =>
      end(await diff(context, [before, after, ...files], options)),
    );
  serviceOptions(parser.command('list'))
    .description('print the rules that run')
    .action(async (options) => end(await rulesOfService(context, 'list', [], options)));
  serviceOptions(
    parser.command('pause').argument('<rule>').option('--reason <text>', 'why; others will read it'),
  )
    .description('let a rule do nothing until it is resumed')
    .action(async (rule, options) => end(await rulesOfService(context, 'pause', [rule], options)));
  serviceOptions(parser.command('resume').argument('<rule>'))
    .description('let a paused rule go on')
    .action(async (rule, options) => end(await rulesOfService(context, 'resume', [rule], options)));
  serviceOptions(
    parser
      .command('trigger')
      .argument('<rule>')
      .option('--reason <text>', 'why; others will read it')
      .option('--force', 'compose although nothing changed'),
  )
    .description('let a rule look at its inputs now')
    .action(async (rule, options) => end(await rulesOfService(context, 'trigger', [rule], options)));
  serviceOptions(
    parser
      .command('decisions')
      .option('--event <id>', 'on this event')
      .option('--rule <name>', 'of this rule')
      .option('--compose <id>', 'that this compose came of')
      .option('--limit <n>', 'how many'),
  )
    .description('print what rules decided, newest first')
    .action(async (options) => end(await rulesOfService(context, 'decisions', [], options)));
});

function usage(message: string): ReactorError {
  return new ReactorError('rules.usage', message, { hint: 'odcs-reactor rules --help tells all of them.' });
}

/** Whether the settings of a service are given; the default ones are nobody's. */
function isConfigured({ environment }: ActionContext, { config }: RulesOptions): boolean {
  return (config ?? environment['ODCS_REACTOR_CONFIG']) !== undefined;
}

function configOf(context: ActionContext, values: RulesOptions): Config {
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

function directoryOf(context: ActionContext, values: RulesOptions): string {
  if (values.rules !== undefined) return values.rules;
  const config = configOf(context, values);
  if (config.rules_dir !== '') return config.rules_dir;
  throw new ReactorError('rules.usage', 'No directory of rule files is configured.', {
    hint: 'Name it with --rules DIR, or set ODCS_RULES_DIR.',
  });
}

async function check(
  context: ActionContext,
  values: RulesOptions,
  words: readonly string[],
): Promise<number> {
  const directory = words[0] ?? directoryOf(context, values);
  const reading = await readRules(directory);
  if (reading.ok && reading.set.rules.length === 0) {
    throw new ReactorError('rules.none', 'There is no rule file.', {
      where: directory,
      hint: 'Rules are the files *.yaml of one directory: look at how its name is written.',
    });
  }
  const problems = reading.ok
    ? await findRefusedRequests(
        reading.set.rules,
        reading.documents,
        requestSettings(configOf(context, values)),
      )
    : reading.problems;
  if (reading.ok && problems.length === 0) {
    const { version, rules } = reading.set;
    if (isConfigured(context, values)) {
      for (const warning of await warnOfUnmade(configOf(context, values), rules)) {
        context.stderr(`${paintFor(context)('busy', 'warning:')} ${warning}\n`);
      }
    }
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
function hubsOf(context: ActionContext, values: RulesOptions): ReadonlySet<string> {
  return new Set(Object.keys(configOf(context, values).koji_hubs));
}

async function explain(
  context: ActionContext,
  values: RulesOptions,
  words: readonly string[],
): Promise<number> {
  const [name, event] = words;
  if (event === undefined) throw usage('explain needs a rule and an event.');
  if (/^\d+$/.test(event)) return rulesOfService(context, 'explain', words, values);
  const rule = await findRule(directoryOf(context, values), name);
  const { events, untranslated } = await readEvents([event], hubsOf(context, values));
  if (events.length === 0)
    context.stderr(`No rule sees this message: its topic is not translated (${untranslated} message).\n`);
  for (const { input } of events) printExplanation(context, explainRule(rule, input), values.json === true);
  return 0;
}

async function backtest(
  context: ActionContext,
  values: RulesOptions,
  words: readonly string[],
  verb: 'backtest' | 'timeline',
): Promise<number> {
  const [name, ...paths] = words;
  if (paths.length === 0) return rulesOfService(context, verb, words, values);
  const rule = await findRule(directoryOf(context, values), name);
  const { events } = await readEvents(paths, hubsOf(context, values));
  const [first, last] = [events.at(0), events.at(-1)];
  const period =
    first === undefined || last === undefined
      ? undefined
      : { from: new Date(first.input.receivedAt), to: new Date(last.input.receivedAt) };
  const result = backtestRule(rule, events, period);
  if (verb === 'timeline' && values.json !== true) context.stdout(drawTimeline(rule, result));
  else printBacktest(context, result, values.json === true);
  return 0;
}

async function diff(context: ActionContext, words: readonly string[], values: RulesOptions): Promise<number> {
  const [before, after, ...paths] = words;
  if (before === undefined || after === undefined || paths.length === 0) {
    throw usage('diff needs the directory before, the one after, and recorded messages.');
  }
  const { events } = await readEvents(paths, hubsOf(context, values));
  const differences = diffRules(await loadRules(before), await loadRules(after), events);
  for (const difference of differences) {
    const { event, receivedAt, rule } = difference;
    context.stdout(
      values.json === true
        ? `${JSON.stringify(difference)}\n`
        : `${receivedAt} message ${event}, ${rule}: ${difference.before} -> ${difference.after}\n`,
    );
  }
  if (values.json !== true)
    context.stdout(`${differences.length} of ${events.length} messages are answered differently.\n`);
  return 0;
}

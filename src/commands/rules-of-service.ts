import { ReactorError } from '../model/errors.ts';
import type { Backtest } from '../rules/backtest.ts';
import type { Explanation } from '../rules/explain.ts';
import type { ActionContext } from './command.ts';
import { formatTable } from './format-table.ts';
import { paintFor, paintState } from './paint.ts';
import { printBacktest, printExplanation } from './print-rules.ts';
import type { RulesOptions } from './rules-arguments.ts';
import { openService } from './service-options.ts';

type ServiceVerb =
  'list' | 'pause' | 'resume' | 'trigger' | 'decisions' | 'explain' | 'backtest' | 'timeline';

interface ListedRule {
  readonly name: string;
  readonly owner: string;
  readonly description: string;
  readonly mode: string;
  readonly paused: { readonly by: string; readonly reason: string } | null;
}

/** Carries out those verbs of `rules` that the running service answers. Throws what the service refuses. */
export async function rulesOfService(
  context: ActionContext,
  verb: ServiceVerb,
  words: readonly string[],
  values: RulesOptions,
): Promise<number> {
  const client = openService(context, values);
  const isJson = values.json === true;
  const base = '/api/1/rules';
  const rule = `${base}/${encodeURIComponent(nameOf(verb, words))}`;
  switch (verb) {
    case 'list': {
      const { rules } = read<{ rules: readonly ListedRule[] }>(await client.request('GET', `${base}/`));
      if (isJson) for (const listed of rules) context.stdout(`${JSON.stringify(listed)}\n`);
      else if (rules.length > 0) context.stdout(formatRules(context, rules));
      else
        context.stderr(
          'No rule runs. odcs-reactor rules new writes one, rules_dir says where the service finds it.\n',
        );
      return 0;
    }
    case 'pause':
    case 'resume':
    case 'trigger': {
      if (verb !== 'resume' && values.reason === undefined) {
        throw new ReactorError('rules.usage', `${verb} needs --reason, which is recorded.`);
      }
      const answer = read<{ message: string }>(
        await client.request('POST', `${rule}/${verb}`, {
          reason: values.reason ?? '',
          ...(values.force === true ? { force: true } : {}),
        }),
      );
      context.stdout(isJson ? `${JSON.stringify(answer)}\n` : `${answer.message}\n`);
      return 0;
    }
    case 'decisions': {
      const query = new URLSearchParams();
      for (const key of ['event', 'rule', 'compose', 'limit'] as const) {
        const value = values[key];
        if (value !== undefined) query.set(key, value);
      }
      const { items } = read<{ items: { at: string; rule: string; outcome: string; why: string }[] }>(
        await client.request('GET', `/api/1/decisions?${query.toString()}`),
      );
      const paint = paintFor(context);
      for (const decision of items) {
        context.stdout(
          isJson
            ? `${JSON.stringify(decision)}\n`
            : `${paint('soft', decision.at)} ${decision.rule}: ${paintState(paint, decision.outcome)}. ${decision.why}\n`,
        );
      }
      return 0;
    }
    case 'explain': {
      const answer = await client.request('GET', `${rule}/explain?event=${words[1] ?? ''}`);
      printExplanation(context, read<Explanation>(answer), isJson);
      return 0;
    }
    case 'backtest':
    case 'timeline': {
      const query = new URLSearchParams({ since: values.since ?? '7d' });
      const answer = read<{ backtest: Backtest; timeline: string }>(
        await client.request('GET', `${rule}/backtest?${query.toString()}`),
      );
      if (verb === 'timeline' && !isJson) context.stdout(answer.timeline);
      else printBacktest(context, answer.backtest, isJson);
      return 0;
    }
    default:
      return verb satisfies never;
  }
}

/** How much of a description stands in a line. */
const SHOWN_LETTERS = 70;

function formatRules(context: ActionContext, rules: readonly ListedRule[]): string {
  const paint = paintFor(context);
  const rows = rules.map(({ name, owner, description, mode, paused }) => {
    const [sentence = ''] = description.split('\n');
    const short = sentence.length > SHOWN_LETTERS ? `${sentence.slice(0, SHOWN_LETTERS - 1)}…` : sentence;
    const words = paused === null ? short : `paused by ${paused.by}: ${paused.reason}`;
    return [name, paintState(paint, paused === null ? mode : 'paused'), owner, words];
  });
  return formatTable(['RULE', 'MODE', 'OWNER', 'WHAT'], rows);
}

function nameOf(verb: ServiceVerb, words: readonly string[]): string {
  const [name] = words;
  if (name !== undefined || verb === 'list' || verb === 'decisions') return name ?? '';
  throw new ReactorError('rules.usage', `${verb} needs the name of a rule.`);
}

/** The answer of our own service, whose shape its routes promise. */
function read<T extends object>(answer: unknown): T {
  if (typeof answer === 'object' && answer !== null) return answer as T;
  throw new ReactorError('service.strange_answer', 'The service answered something else than rules do.', {
    hint: 'Does --server name an odcs-reactor?',
  });
}

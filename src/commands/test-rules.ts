import { readFile, readdir, stat } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import type { ReceivedMessage } from '../buses/received-message.ts';
import type { StoredEvent } from '../database/input-events.ts';
import { readRecordedMessage } from '../listeners/recorded-message.ts';
import { ReactorError } from '../model/errors.ts';
import { formatProblem } from '../model/file-problem.ts';
import type { Rule } from '../model/rule.ts';
import { isCasesFile, judgeCase, readRuleCases, ruleOfCases, type CaseMessage } from '../rules/rule-cases.ts';
import type { ActionContext } from './command.ts';
import { paintFor } from './paint.ts';
import { translateMessages } from './read-events.ts';

/** What testing takes from the settings and from the directory of each file. */
export interface RuleTesting {
  readonly context: ActionContext;
  readonly isJson: boolean;
  /** The Koji hubs beside the default one. */
  readonly hubs: ReadonlySet<string>;
  /** Returns a rule of a directory; throws where it is not there, or a rule file is wrong. */
  readonly findRule: (directory: string, name: string) => Promise<Rule>;
}

/**
 * Runs the cases of files `NAME.test.yaml`, each beside its rule, and of all such files of directories. Returns 1 where one
 * fails or is wrong, else 0. Throws `rules.no_cases` where there are none, and what finding a rule or reading a message throws.
 */
export async function testRules(testing: RuleTesting, paths: readonly string[]): Promise<number> {
  const { context, isJson } = testing;
  const paint = paintFor(context);
  const files = (await Promise.all(paths.map(listCasesFiles))).flat();
  if (files.length === 0) {
    throw new ReactorError('rules.no_cases', 'There is no file of cases.', {
      where: paths.join(', '),
      hint: 'Cases of the rule nightly.yaml are in nightly.test.yaml beside it.',
    });
  }
  let failed = 0;
  let count = 0;
  for (const file of files) {
    const reading = readRuleCases(file, await readFile(file, 'utf8'));
    if (!reading.ok) {
      failed += 1;
      for (const problem of reading.problems)
        context.stdout(`${isJson ? JSON.stringify(problem) : formatProblem(problem)}\n`);
      continue;
    }
    const rule = await testing.findRule(dirname(file), ruleOfCases(file));
    for (const testCase of reading.value.cases) {
      const events = await readMessages(file, testCase.messages, testing.hubs);
      const failures = judgeCase(rule, testCase, events);
      count += 1;
      if (failures.length > 0) failed += 1;
      context.stdout(
        isJson
          ? `${JSON.stringify({ file, rule: rule.name, case: testCase.name, ok: failures.length === 0, failures })}\n`
          : `${failures.length === 0 ? paint('good', 'ok    ') : paint('bad', 'FAILED')} ${rule.name}: ${testCase.name}\n${failures.map((line) => `         ${line}\n`).join('')}`,
      );
    }
  }
  if (!isJson) context.stdout(`${count} cases, ${failed} failed.\n`);
  return failed === 0 ? 0 : 1;
}

async function listCasesFiles(path: string): Promise<readonly string[]> {
  try {
    if (!(await stat(path)).isDirectory()) return [path];
    return (await readdir(path))
      .filter(isCasesFile)
      .toSorted()
      .map((name) => join(path, name));
  } catch (cause) {
    throw new ReactorError('rules.no_cases', 'There is no such file or directory.', {
      where: path,
      hint: 'Cases of the rule nightly.yaml are in nightly.test.yaml beside it.',
      cause,
    });
  }
}

/** Returns the events of a case in its order, null for those that nobody translates. */
async function readMessages(
  file: string,
  messages: readonly CaseMessage[],
  hubs: ReadonlySet<string>,
): Promise<readonly (StoredEvent | null)[]> {
  const events: (StoredEvent | null)[] = [];
  let last: string | null = null;
  for (const message of messages) {
    const received = await readMessage(file, message);
    const sentAt: string | null = received.sentAt ?? last;
    last = sentAt;
    const [event] = translateMessages([{ ...received, sentAt }], hubs).events;
    events.push(event === undefined ? null : { ...event, id: events.length + 1 });
  }
  return events;
}

async function readMessage(file: string, message: CaseMessage): Promise<ReceivedMessage> {
  if ('file' in message) {
    const place = resolve(dirname(file), message.file);
    return readRecordedMessage(await readText(place), place);
  }
  const { at, ...written } = message;
  const received = readRecordedMessage(JSON.stringify(written), file);
  return at === undefined ? received : { ...received, sentAt: new Date(at).toISOString() };
}

async function readText(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (cause) {
    throw new ReactorError('message.unreadable', 'There is no such file or directory.', {
      where: file,
      cause,
    });
  }
}

import { createHash } from 'node:crypto';
import { watch, type FSWatcher } from 'node:fs';
import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { messageOf } from '../model/errors.ts';
import type { Rule, RuleSet } from '../model/rule.ts';
import { findRuleCycles } from './rule-cycles.ts';
import { readRuleFile } from './rule-file.ts';
import { formatProblem, type RuleProblem } from './rule-problem.ts';

/** What a directory of rule files holds: a set that can run, or what is wrong. */
export type RulesReading =
  | { readonly ok: true; readonly set: RuleSet }
  | { readonly ok: false; readonly problems: readonly RuleProblem[] };

/** No rules at all, before a directory was read. */
export const emptyRuleSet: RuleSet = { version: 'none', rules: [] };

/**
 * Reads all `*.yaml` of a directory as one set. Any problem in any file refuses the whole set. The version is a
 * hash of names and contents. A directory that does not exist is an empty set.
 */
export async function readRules(directory: string): Promise<RulesReading> {
  const problems: RuleProblem[] = [];
  const rules: Rule[] = [];
  const hash = createHash('sha256');
  for (const name of await listRuleFiles(directory, problems)) {
    const file = join(directory, name);
    let text: string;
    try {
      text = await readFile(file, 'utf8');
    } catch (error) {
      problems.push(fileProblem(file, 'rule.unreadable', `The file cannot be read: ${messageOf(error)}.`));
      continue;
    }
    hash.update(`${name}\0${text.length}\0${text}`);
    const reading = readRuleFile(file, text);
    if (reading.ok) rules.push(reading.rule);
    else problems.push(...reading.problems);
  }
  for (const cycle of findRuleCycles(rules)) {
    const file = rules.find((rule) => rule.name === cycle[0])?.file ?? directory;
    const chain = [...cycle, cycle[0]].join(' -> ');
    problems.push(
      fileProblem(
        file,
        'rule.cycle',
        `These rules would start each other for ever: ${chain}.`,
        'Give one of them a `match` on `series` that leaves the others out.',
      ),
    );
  }
  if (problems.length > 0) return { ok: false, problems };
  return { ok: true, set: { version: hash.digest('hex').slice(0, 12), rules } };
}

async function listRuleFiles(directory: string, problems: RuleProblem[]): Promise<string[]> {
  try {
    const names = await readdir(directory);
    return names.filter((name) => /\.ya?ml$/.test(name) && !name.startsWith('.')).sort();
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return [];
    problems.push(
      fileProblem(directory, 'rule.unreadable', `The directory cannot be read: ${messageOf(error)}.`),
    );
    return [];
  }
}

function fileProblem(file: string, code: string, message: string, hint: string | null = null): RuleProblem {
  return { code, file, line: 1, column: 1, message, hint };
}

/** The rules that run, kept up to date with their directory. */
export interface LiveRules extends AsyncDisposable {
  /** The last good set. */
  readonly current: RuleSet;
  /** Why the directory's present content does not run; empty when it does. */
  readonly problems: readonly RuleProblem[];
  /** Reads the directory now; answers whether the set changed. */
  reload(): Promise<boolean>;
}

export interface LiveRulesContext {
  readonly directory: string;
  /** Told once for each new set, with the set before. */
  readonly onChange: (set: RuleSet, before: RuleSet) => void;
  /** Told once for each new list of problems, a line each. */
  readonly onProblems: (lines: readonly string[]) => void;
  /** How often the directory is looked at beside the file system's own notices, in milliseconds. */
  readonly pollMs: number;
}

/**
 * Reads a directory and follows it: a set without problems takes over at once, a bad one leaves the last good set
 * running. Never throws for what files say.
 */
export async function followRules(context: LiveRulesContext): Promise<LiveRules> {
  let current = emptyRuleSet;
  let problems: readonly RuleProblem[] = [];
  let reading: Promise<boolean> | null = null;
  const load = async (): Promise<boolean> => {
    const result = await readRules(context.directory);
    if (!result.ok) {
      const lines = result.problems.map(formatProblem);
      if (lines.join('\n') !== problems.map(formatProblem).join('\n')) context.onProblems(lines);
      problems = result.problems;
      return false;
    }
    problems = [];
    if (result.set.version === current.version) return false;
    const before = current;
    current = result.set;
    context.onChange(current, before);
    return true;
  };
  let waiting: Promise<boolean> | null = null;
  const begin = (): Promise<boolean> => {
    const own = load().finally(() => {
      if (reading === own) reading = null;
    });
    reading = own;
    return own;
  };
  // A look that has begun may have missed the change that is asked about: one more follows it, for all who ask.
  const reload = (): Promise<boolean> => {
    if (reading === null) return begin();
    waiting ??= reading
      .catch(() => false)
      .then(() => {
        waiting = null;
        return begin();
      });
    return waiting;
  };
  await reload();
  const watcher = watchDirectory(context.directory, () => void reload());
  const timer = setInterval(() => void reload(), context.pollMs);
  timer.unref();
  return {
    get current() {
      return current;
    },
    get problems() {
      return problems;
    },
    reload,
    async [Symbol.asyncDispose]() {
      clearInterval(timer);
      watcher?.close();
      await waiting;
      await reading;
    },
  };
}

/** Watches a directory where the file system can; polling covers the rest. */
function watchDirectory(directory: string, onNotice: () => void): FSWatcher | null {
  try {
    const watcher = watch(directory, { persistent: false }, onNotice);
    watcher.on('error', () => watcher.close());
    return watcher;
  } catch {
    return null;
  }
}

import { findRuleDocuments, findRunningVersion } from '../database/rule-sets.ts';
import { currentReader } from '../database/readable.ts';
import { mayRead } from '../model/readers.ts';
import { readersOfRule } from '../model/rule-readers.ts';
import type { Rule, RuleSet } from '../model/rule.ts';
import { mayReadProblem } from '../rules/problem-readers.ts';
import { readDocuments, readRules } from '../rules/reload.ts';
import { formatProblem, type FileProblem } from '../model/file-problem.ts';
import type { ApiContext } from './context.ts';
import { ApiProblem } from './problem.ts';

/** The rules that run, and what is wrong with the files beside them. */
export interface ShownRules {
  readonly set: RuleSet;
  readonly problems: readonly FileProblem[];
}

const FRESH_MS = 2000;
/** Sets of a version, which never change; the newest few. */
const MOST_KEPT = 3;
interface Shown {
  readonly at: number;
  readonly rules: Promise<ShownRules>;
}

/** By database and directory: the context of a page is another one for each request. */
const shownRules = new WeakMap<ApiContext['database'], Map<string, Shown>>();
const keptSets = new WeakMap<ApiContext['database'], Map<string, RuleSet>>();

/**
 * Returns the rules that run in whatever process has the role, as it stored them; looked up every two seconds at most.
 * Before any has run, the files of `rules_dir` are shown as they are.
 */
export async function readShownRules(context: ApiContext): Promise<ShownRules> {
  const { set, problems } = await lookUpShared(context);
  const reader = currentReader();
  return {
    set: readableSet(set),
    problems: problems.filter((problem) => mayReadProblem(reader, problem, set)),
  };
}

/** The rules of a set that the current reader may read. */
function readableSet(set: RuleSet): RuleSet {
  const reader = currentReader();
  const isReadable = (rule: Rule): boolean =>
    mayRead(reader, { owner: rule.owner, readers: readersOfRule(rule) });
  return set.rules.every(isReadable) ? set : { ...set, rules: set.rules.filter(isReadable) };
}

function lookUpShared(context: ApiContext): Promise<ShownRules> {
  const now = performance.now();
  const byDirectory = shownRules.get(context.database) ?? new Map<string, Shown>();
  shownRules.set(context.database, byDirectory);
  const directory = context.config.rules_dir;
  const known = byDirectory.get(directory);
  if (known !== undefined && now - known.at < FRESH_MS) return known.rules;
  const rules = lookUp(context);
  byDirectory.set(directory, { at: now, rules });
  rules.catch(() => byDirectory.delete(directory));
  return rules;
}

async function lookUp(context: ApiContext): Promise<ShownRules> {
  const running = await findRunningVersion(context.database.kysely);
  if (running !== null) {
    const set = await findWholeSet(context, running.version);
    if (set !== null) return { set, problems: running.problems };
  }
  const reading = await readRules(context.config.rules_dir);
  return reading.ok
    ? { set: reading.set, problems: [] }
    : { set: { version: 'none', rules: [] }, problems: reading.problems };
}

/** Returns what the current reader may read of a set of rules that runs or ran; null where it is not kept. */
export async function findRuleSet(context: ApiContext, version: string): Promise<RuleSet | null> {
  const set = await findWholeSet(context, version);
  return set === null ? null : readableSet(set);
}

async function findWholeSet(context: ApiContext, version: string): Promise<RuleSet | null> {
  const kept = keptSets.get(context.database) ?? new Map<string, RuleSet>();
  keptSets.set(context.database, kept);
  const known = kept.get(version);
  if (known !== undefined) return known;
  const documents = await findRuleDocuments(context.database.kysely, version);
  if (documents === null) return null;
  const set = readDocuments(version, documents);
  for (const old of [...kept.keys()].slice(0, Math.max(0, kept.size - MOST_KEPT + 1))) kept.delete(old);
  kept.set(version, set);
  return set;
}

/** Returns one rule by name. Throws `rule.not_found` (404), `rule.invalid` (503) where no good set has run. */
export async function findShownRule(context: ApiContext, name: string): Promise<Rule> {
  const { set, problems } = await readShownRules(context);
  const rule = set.rules.find((candidate) => candidate.name === name);
  if (rule !== undefined) return rule;
  const [problem] = problems;
  if (problem !== undefined && set.version === 'none') {
    throw new ApiProblem(503, 'rule.invalid', formatProblem(problem));
  }
  throw new ApiProblem(404, 'rule.not_found', 'There is no such rule.', {
    hint: 'GET /api/1/rules/ lists them.',
  });
}

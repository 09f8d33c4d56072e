import { createHash } from 'node:crypto';
import { watch, type FSWatcher } from 'node:fs';
import { readFile, readdir, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { RuleDocument } from '../database/rule-sets.ts';
import { messageOf } from '../model/errors.ts';
import type { Rule, RuleSet } from '../model/rule.ts';
import { findRuleCycles } from './rule-cycles.ts';
import { findSharedSeries } from './shared-series.ts';
import { isCasesFile } from './rule-cases.ts';
import { readRuleFile, type RuleReading } from './rule-file.ts';
import { namesReaders } from './problem-readers.ts';
import { formatProblem, type FileProblem } from '../model/file-problem.ts';

/** What a directory of rule files holds: a set that can run, or what is wrong. */
export type RulesReading =
  | { readonly ok: true; readonly set: RuleSet; readonly documents: readonly RuleDocument[] }
  | { readonly ok: false; readonly problems: readonly FileProblem[] };

/** No rules at all, before a directory was read. */
export const emptyRuleSet: RuleSet = { version: 'none', rules: [] };

/** A rule file as it was read, and how it looked then. */
interface KnownFile {
  readonly stamp: string;
  readonly text: string;
  readonly reading: RuleReading;
}

/** Rule files that were read before: those that look as they did are not read again. */
export class RuleFileCache {
  readonly files = new Map<string, KnownFile>();
  /** What the directory held the last time, as long as no file of it changed. */
  last: { readonly stamp: string; readonly reading: RulesReading } | null = null;
}

/** A file that changed so shortly before it was looked at may change again without looking otherwise. */
const SETTLED_NS = 2_000_000_000n;

/**
 * Reads all `*.yaml` of a directory but `*.test.yaml` as one set. Any problem in any file refuses the whole set. The version is a
 * hash of names and contents. A directory that does not exist is an empty set. With a cache only files are read that
 * changed.
 */
export async function readRules(
  directory: string,
  cache: RuleFileCache = new RuleFileCache(),
): Promise<RulesReading> {
  const problems: FileProblem[] = [];
  const names = await listRuleFiles(directory, problems);
  const stamps = await Promise.all(names.map((name) => stampOf(join(directory, name))));
  const stamp = names.map((name, index) => `${name}\0${stamps[index] ?? ''}`).join('\n');
  if (cache.last?.stamp === stamp && problems.length === 0 && !stamps.includes('')) return cache.last.reading;
  const reading = await readFiles(directory, { names, stamps, problems, cache });
  cache.last = { stamp, reading };
  return reading;
}

/** How a file looks; empty where that does not say whether it changed. */
async function stampOf(file: string): Promise<string> {
  try {
    const { ino, size, mtimeNs, ctimeNs } = await stat(file, { bigint: true });
    const now = BigInt(Date.now()) * 1_000_000n;
    return now - ctimeNs < SETTLED_NS ? '' : `${ino} ${size} ${mtimeNs} ${ctimeNs}`;
  } catch {
    return '';
  }
}

interface FilesToRead {
  readonly names: readonly string[];
  readonly stamps: readonly string[];
  readonly problems: FileProblem[];
  readonly cache: RuleFileCache;
}

async function readFiles(
  directory: string,
  { names, stamps, problems, cache }: FilesToRead,
): Promise<RulesReading> {
  const rules: Rule[] = [];
  const documents: RuleDocument[] = [];
  for (const [index, name] of names.entries()) {
    const file = join(directory, name);
    try {
      const known = await readFileOnce(file, stamps[index] ?? '', cache);
      documents.push({ file, text: known.text });
      if (known.reading.ok) rules.push(known.reading.rule);
      else problems.push(...markPrivate(known.reading.problems, namesReaders(known.text)));
    } catch (error) {
      problems.push(fileProblem(file, 'rule.unreadable', `The file cannot be read: ${messageOf(error)}.`));
    }
  }
  const present = new Set(names.map((name) => join(directory, name)));
  for (const file of cache.files.keys()) if (!present.has(file)) cache.files.delete(file);
  problems.push(...findCycleProblems(directory, rules), ...findSharedSeriesProblems(rules));
  if (problems.length > 0) return { ok: false, problems };
  return { ok: true, set: { version: versionOf(documents), rules }, documents };
}

async function readFileOnce(file: string, stamp: string, cache: RuleFileCache): Promise<KnownFile> {
  const before = cache.files.get(file);
  if (before !== undefined && stamp !== '' && before.stamp === stamp) return before;
  const text = await readFile(file, 'utf8');
  const known = {
    stamp,
    text,
    reading: before?.text === text ? before.reading : readRuleFile(file, text),
  };
  cache.files.set(file, known);
  return known;
}

/** A hash of names and contents. */
function versionOf(documents: readonly RuleDocument[]): string {
  const hash = createHash('sha256');
  for (const { file, text } of documents) hash.update(`${basename(file)}\0${text.length}\0${text}`);
  return hash.digest('hex').slice(0, 12);
}

/** Returns the rules of files that have run as a set; files that are wrong by now are left out. */
export function readDocuments(version: string, documents: readonly RuleDocument[]): RuleSet {
  const rules = documents.flatMap(({ file, text }) => {
    const reading = readRuleFile(file, text);
    return reading.ok ? [reading.rule] : [];
  });
  return { version, rules };
}

function findCycleProblems(directory: string, rules: readonly Rule[]): readonly FileProblem[] {
  return findRuleCycles(rules).flatMap((cycle) => {
    const file = rules.find((rule) => rule.name === cycle[0])?.file ?? directory;
    const chain = [...cycle, cycle[0]].join(' -> ');
    const problem = fileProblem(
      file,
      'rule.cycle',
      `These rules would start each other for ever: ${chain}.`,
      'Give one of them a `match` on `series` that leaves the others out.',
    );
    const isPrivate = rules.some(({ name, readers }) => readers !== null && cycle.includes(name));
    return markPrivate([problem], isPrivate);
  });
}

function findSharedSeriesProblems(rules: readonly Rule[]): readonly FileProblem[] {
  return findSharedSeries(rules).flatMap(({ series, first, second, differsIn }) => {
    const problem = fileProblem(
      second.file,
      'rule.series_shared',
      `The rules ${first.name} and ${second.name} both continue the series ${series}, but differ in "${differsIn}".`,
      differsIn === 'compose'
        ? 'What a series shows would change with the rule that fired last: give one of them another `series`.'
        : `A series has one "${differsIn}": give both the same.`,
    );
    return markPrivate([problem], first.readers !== null || second.readers !== null);
  });
}

async function listRuleFiles(directory: string, problems: FileProblem[]): Promise<string[]> {
  try {
    const names = await readdir(directory);
    return names
      .filter((name) => /\.ya?ml$/.test(name) && !name.startsWith('.') && !isCasesFile(name))
      .sort();
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return [];
    problems.push(
      fileProblem(directory, 'rule.unreadable', `The directory cannot be read: ${messageOf(error)}.`),
    );
    return [];
  }
}

function markPrivate(problems: readonly FileProblem[], isPrivate: boolean): readonly FileProblem[] {
  return isPrivate ? problems.map((problem) => ({ ...problem, isPrivate })) : problems;
}

function fileProblem(file: string, code: string, message: string, hint: string | null = null): FileProblem {
  return { code, file, line: 1, column: 1, message, hint };
}

/** The rules that run, kept up to date with their directory. */
export interface LiveRules extends AsyncDisposable {
  /** The last good set. */
  readonly current: RuleSet;
  /** The files it was read from. */
  readonly documents: readonly RuleDocument[];
  /** Why the directory's present content does not run; empty when it does. */
  readonly problems: readonly FileProblem[];
  /** Reads the directory now; returns whether the set changed. */
  reload(): Promise<boolean>;
}

export interface LiveRulesContext {
  readonly directory: string;
  /** Called once for each new set, with the set before. */
  readonly onChange: (set: RuleSet, before: RuleSet) => void;
  /** Called once for each new list of problems, a line each. */
  readonly onProblems: (lines: readonly string[]) => void;
  /** How often the directory is looked at beside the file system's own notices, in milliseconds. */
  readonly pollMs: number;
}

/**
 * Reads a directory and follows it: a set without problems takes over at once, a bad one leaves the last good set
 * running. Never throws for what files say.
 */
export async function followRules(context: LiveRulesContext): Promise<LiveRules> {
  const cache = new RuleFileCache();
  let current = emptyRuleSet;
  let documents: readonly RuleDocument[] = [];
  let problems: readonly FileProblem[] = [];
  let reading: Promise<boolean> | null = null;
  const load = async (): Promise<boolean> => {
    const result = await readRules(context.directory, cache);
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
    documents = result.documents;
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
    get documents() {
      return documents;
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

import { isScalar, LineCounter, parseDocument, visit, type Document } from 'yaml';
import { z } from 'zod';
import { nearestWord } from './did-you-mean.ts';
import { messageOf } from './errors.ts';
import { locatePath, type FilePath, type FileProblem, type ReportProblem } from './file-problem.ts';
import { hasMoreYamlMarks } from './yaml-marks.ts';

/** A kind of YAML file that people write for the service. */
export interface YamlFileKind<Shape> {
  readonly schema: z.ZodType<Shape>;
  /** What the whole file is: `the rule`. */
  readonly whole: string;
  /** The codes of its problems. */
  readonly codes: {
    readonly yamlInvalid: string;
    readonly tooLong: string;
    readonly keyUnknown: string;
    readonly keyMissing: string;
    readonly valueInvalid: string;
  };
}

/** What reading a file yields: its content and what reports further problems in it, or all that is wrong with its shape. */
export type YamlFileReading<Shape> =
  | {
      readonly ok: true;
      readonly value: Shape;
      readonly report: ReportProblem;
      /** What was reported. */
      readonly problems: readonly FileProblem[];
    }
  | { readonly ok: false; readonly problems: readonly FileProblem[] };

const MAX_FILE = 256 * 1024;
/** Thousands of packages may be listed; what has more takes long to read. */
const MAX_MARKS = 20_000;
/** Whoever mends these sees the others afterwards. */
const MOST_PROBLEMS = 50;

/**
 * Reads one YAML file of a strict shape. Reports the problems, up to 50, with line and column; nothing is thrown for a bad
 * file.
 */
export function readYamlFile<Shape>(
  kind: YamlFileKind<Shape>,
  file: string,
  text: string,
): YamlFileReading<Shape> {
  const { codes } = kind;
  const tooLong = (why: string): YamlFileReading<Shape> => {
    const message = `The file ${why}.`;
    return { ok: false, problems: [{ code: codes.tooLong, file, line: 1, column: 1, message, hint: null }] };
  };
  if (text.length > MAX_FILE) return tooLong(`is longer than ${MAX_FILE / 1024} KiB`);
  if (hasMoreYamlMarks(text, MAX_MARKS)) return tooLong(`may have more than ${MAX_MARKS} entries`);
  const lines = new LineCounter();
  const document = parseDocument(text, {
    lineCounter: lines,
    strict: true,
    // Compared pair by pair there, which takes minutes for a long file.
    uniqueKeys: false,
    stringKeys: true,
    logLevel: 'error',
  } as const);
  const problems: FileProblem[] = [];
  const report: ReportProblem = (code, place, message, hint) => {
    if (problems.length >= MOST_PROBLEMS) return;
    problems.push({ code, file, ...locatePath(document, lines, place), message, hint: hint ?? null });
  };
  const errors = document.errors.map(({ message, pos }) => ({ message, offset: pos[0] }));
  for (const error of [...errors, ...repeatedKeys(document)].slice(0, MOST_PROBLEMS)) {
    const { line, col } = lines.linePos(error.offset);
    const [message = 'not YAML'] = error.message.split('\n');
    problems.push({ code: codes.yamlInvalid, file, line, column: col, message, hint: null });
  }
  if (problems.length > 0) return { ok: false, problems };
  let plain: unknown;
  try {
    plain = document.toJS({ maxAliasCount: 20 });
  } catch (error) {
    report(codes.yamlInvalid, [], `The file cannot be read: ${messageOf(error)}.`);
    return { ok: false, problems };
  }
  const parsed = kind.schema.safeParse(plain, { reportInput: true });
  if (parsed.success) return { ok: true, value: parsed.data, report, problems };
  // A misspelled key is why another one is missing.
  const isUnknownKey = (issue: Issue): number => (issue.code === 'unrecognized_keys' ? 0 : 1);
  const issues = parsed.error.issues.toSorted((left, right) => isUnknownKey(left) - isUnknownKey(right));
  for (const issue of issues.slice(0, MOST_PROBLEMS)) reportIssue(kind, issue, [], report);
  return { ok: false, problems };
}

/** Keys that a mapping has twice, and where. */
function repeatedKeys(document: Document): { readonly message: string; readonly offset: number }[] {
  const found: { readonly message: string; readonly offset: number }[] = [];
  visit(document, {
    Map(_key, { items }) {
      const seen = new Set<unknown>();
      for (const { key } of items) {
        if (!isScalar(key)) continue;
        if (seen.has(key.value))
          found.push({ message: 'Map keys must be unique', offset: key.range?.[0] ?? 0 });
        seen.add(key.value);
      }
    },
  });
  return found;
}

type Issue = z.core.$ZodIssue;
type Kind = Omit<YamlFileKind<unknown>, 'schema'> & { readonly schema: z.core.$ZodType };

function reportIssue(kind: Kind, issue: Issue, base: FilePath, report: ReportProblem): void {
  const { codes } = kind;
  const path = [...base, ...issue.path.map((step) => (typeof step === 'symbol' ? String(step) : step))];
  const where = path.length === 0 ? kind.whole : `"${path.join('.')}"`;
  switch (issue.code) {
    case 'unrecognized_keys':
      for (const key of issue.keys.slice(0, MOST_PROBLEMS)) {
        const near = nearestWord(key, keysAt(kind.schema, path));
        const message = `There is no "${key}" in ${where}${near === null ? '.' : `; did you mean "${near}"?`}`;
        report(codes.keyUnknown, { key: [...path, key] }, message);
      }
      return;
    case 'invalid_union': {
      const best = issue.errors.toSorted((left, right) => badness(left) - badness(right))[0];
      if (best === undefined || best.length === 0)
        report(codes.valueInvalid, path, `${where} has a wrong shape.`);
      else for (const inner of best) reportIssue(kind, inner, path, report);
      return;
    }
    case 'invalid_value': {
      const given =
        typeof issue.input === 'string' ? nearestWord(issue.input, issue.values.map(String)) : null;
      const question = given === null ? '' : ` Did you mean "${given}"?`;
      const message = `${where} must be ${issue.values.length === 1 ? '' : 'one of '}${issue.values.join(', ')}.`;
      report(codes.valueInvalid, path, `${message}${question}`);
      return;
    }
    default: {
      const isAbsent =
        issue.code === 'invalid_type' && issue.input === undefined && issue.message.endsWith('undefined');
      report(
        isAbsent ? codes.keyMissing : codes.valueInvalid,
        path,
        isAbsent ? `${where} is missing.` : `${where}: ${issue.message}.`,
      );
    }
  }
}

/** How far an alternative of a union is from what was written; the nearest one is reported. */
function badness(issues: readonly Issue[]): number {
  return (
    issues.reduce(
      (sum, issue) => sum + (issue.code === 'invalid_type' && issue.path.length === 0 ? 100 : 1),
      0,
    ) +
    (issues.some(
      (issue) =>
        issue.code === 'invalid_type' && issue.path.length === 1 && issue.message.endsWith('undefined'),
    )
      ? 50
      : 0)
  );
}

/** The keys that a mapping at a path of a schema may have. */
function keysAt(schema: z.core.$ZodType, path: FilePath): readonly string[] {
  const [head, ...rest] = path;
  if (schema instanceof z.ZodOptional || schema instanceof z.ZodDefault || schema instanceof z.ZodPrefault) {
    return keysAt(schema.def.innerType, path);
  }
  if (schema instanceof z.ZodUnion) return schema.options.flatMap((option) => keysAt(option, path));
  if (schema instanceof z.ZodArray) return head === undefined ? [] : keysAt(schema.element, rest);
  if (schema instanceof z.ZodRecord) return head === undefined ? [] : keysAt(schema.valueType, rest);
  if (!(schema instanceof z.ZodObject)) return [];
  if (head === undefined) return Object.keys(schema.shape);
  const member: z.core.$ZodType | undefined = Object.hasOwn(schema.shape, head)
    ? schema.shape[head]
    : undefined;
  return member === undefined ? [] : keysAt(member, rest);
}

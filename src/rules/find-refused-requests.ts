import { LineCounter, parseDocument } from 'yaml';
import type { RuleDocument } from '../database/rule-sets.ts';
import { parseComposeRequest, type RequestDefaults } from '../model/compose-request.ts';
import { ReactorError } from '../model/errors.ts';
import { locatePath, type FilePath, type FileProblem } from '../model/file-problem.ts';
import type { JsonObject, JsonValue, Rule } from '../model/rule.ts';
import { definitionOfType, isSourceType } from '../source-types.ts';
import { checkRepoAccess, type RepoPolicy } from '../upstream/repo-access.ts';
import { shapeRequest } from './ask-compose.ts';
import { isPlainObject } from './rule-match.ts';
import { parseTemplate } from './template.ts';

/** What the requests of rules are held to: the settings of the service that runs them. */
export interface RequestSettings {
  readonly defaults: RequestDefaults;
  readonly repositories: RepoPolicy;
}

/**
 * Finds rules whose request POST would refuse by the settings of the service: unknown hubs, target directories,
 * configurations of Pungi, sigkeys that are none, repositories that may not be read. What placeholders stand for is
 * judged when events have filled them; the text around them is judged here.
 */
export async function findRefusedRequests(
  rules: readonly Rule[],
  documents: readonly RuleDocument[],
  settings: RequestSettings,
): Promise<readonly FileProblem[]> {
  const problems: FileProblem[] = [];
  for (const rule of rules) {
    const refusal = await refusalOf(rule.compose, settings);
    if (refusal === null) continue;
    const text = documents.find(({ file }) => file === rule.file)?.text ?? '';
    const lines = new LineCounter();
    const document = parseDocument(text, { lineCounter: lines, logLevel: 'error' });
    const { code, message, hint = null } = refusal;
    const place = locatePath(document, lines, pathOf(refusal, rule.compose));
    problems.push({ code, file: rule.file, ...place, message, hint });
  }
  return problems;
}

async function refusalOf(
  compose: JsonObject,
  { defaults, repositories }: RequestSettings,
): Promise<ReactorError | null> {
  try {
    const { sourceType, source, lookasideRepos, secondsToLive } = parseComposeRequest(
      writtenPart(compose, defaults),
      defaults,
    );
    checkLife(compose['seconds_to_live'], secondsToLive);
    const areRepositories = definitionOfType[sourceType].areRepositories === true;
    for (const place of [...(areRepositories ? source : []), ...lookasideRepos]) {
      if (place !== repositoryStandIn) await checkRepoAccess(place, repositories);
    }
    return null;
  } catch (error) {
    if (error instanceof ReactorError) return error;
    throw error;
  }
}

/** Refuses a life that POST would shorten without a word; `taken` is what it would make of it. */
function checkLife(asked: JsonValue | undefined, taken: number): void {
  if (typeof asked !== 'number' || asked <= taken) return;
  throw new ReactorError(
    'request.invalid_seconds_to_live',
    `A life of ${asked} seconds is longer than max_seconds_to_live, ${taken}.`,
    { hint: 'Ask for less; `keep` lets composes of a series live on.' },
  );
}

const repositoryStandIn = 'https://example.invalid/compose/Server';
/** May be a tag, the NVR of a build and a series. */
const nameStandIn = 'a-1-1';

/** Returns the request as far as the rule itself says it: a body that has what is right where events are needed. */
function writtenPart(compose: JsonObject, defaults: RequestDefaults): JsonObject {
  const source = compose['source'];
  const written = isPlainObject(source) ? writtenSource(source, defaults) : {};
  return shapeRequest({ ...withoutTemplates(compose), source: written });
}

function writtenSource(source: JsonObject, defaults: RequestDefaults): JsonObject {
  const words = source['source'];
  const list: readonly JsonValue[] = Array.isArray(words) ? words : [words ?? ''];
  const filled = list.flatMap((text) =>
    String(text)
      .split(/\s+/)
      .map((word) => (isTemplate(word) ? fillWord(word, source['type'], defaults) : word)),
  );
  const isNamed = words !== undefined;
  return { ...withoutTemplates(source), ...(isNamed ? { source: filled.join(' ') } : {}) };
}

/** Returns a word of a source whose placeholders are filled with something that its type takes. */
function fillWord(word: string, type: JsonValue | undefined, defaults: RequestDefaults): string {
  const parts = parseTemplate(word);
  const fill = (standIn: string): string => fillParts(parts, standIn);
  const definition = isSourceType(type) ? definitionOfType[type] : null;
  if (definition?.areRepositories === true) return repositoryStandIn;
  const template = { text: word, isWhole: parts.length === 1, isTemplate, fill };
  return definition?.fillWord?.(template, defaults) ?? fill(nameStandIn);
}

function fillParts(parts: ReturnType<typeof parseTemplate>, standIn: string): string {
  return parts.map((part) => (typeof part === 'string' ? part : standIn)).join('');
}

/** Leaves out values that events fill, except names whose hub the rule itself writes. */
function withoutTemplates(object: JsonObject): JsonObject {
  return Object.fromEntries(
    Object.entries(object).flatMap(([key, value]): [string, JsonValue][] => {
      if (Array.isArray(value)) return [[key, value.flatMap(writtenElement)]];
      const written = isDefaultsKey(key) ? [nameStandIn] : writtenElement(value);
      return written.length === 0 ? [] : [[key, written[0] ?? null]];
    }),
  );
}

/** URL and commit of module defaults, of which one without the other is refused. */
function isDefaultsKey(key: string): boolean {
  return key === 'module_defaults_url' || key === 'module_defaults_commit';
}

function writtenElement(value: JsonValue): readonly JsonValue[] {
  if (typeof value !== 'string' || !isTemplate(value)) return [value];
  const parts = parseTemplate(value);
  return typeof parts[0] === 'string' && parts[0].endsWith(':') ? [fillParts(parts, nameStandIn)] : [];
}

function isTemplate(text: string): boolean {
  return text.includes('${');
}

/** Where in the file the refused value stands, as far as the refusal tells. */
function pathOf({ code, where }: ReactorError, compose: JsonObject): FilePath {
  const source = isPlainObject(compose['source']) ? compose['source'] : {};
  const named = keyOfCode.get(code) ?? where ?? '';
  if (Object.hasOwn(source, named)) return ['compose', 'source', named];
  if (Object.hasOwn(compose, named) && named !== 'source') return ['compose', named];
  const holding = (object: JsonObject): string | undefined =>
    Object.entries(object).find(([, value]) => Array.isArray(value) && value.includes(named))?.[0];
  const list = holding(compose);
  return list === undefined ? ['compose', 'source', holding(source) ?? 'source'] : ['compose', list];
}

const keyOfCode: ReadonlyMap<string, string> = new Map([
  ['request.unknown_target_dir', 'target_dir'],
  ['request.invalid_seconds_to_live', 'seconds_to_live'],
  ['request.module_defaults_incomplete', 'module_defaults_url'],
]);

import { composeFlags, composeResults, multilibMethods, type ComposeRequest } from './compose.ts';
import { ReactorError } from './errors.ts';
import { checkHubOf, hubOfRequest } from './hub-name.ts';
import { lifeLimitsOf, rawConfigLimits, type LifeLimits } from './life-limits.ts';
import { quoteBody } from './python-repr.ts';
import {
  countField,
  isJsonObject,
  lifeField,
  listField,
  nameField,
  namesField,
  refuseRequest,
  sigkeysField,
  textField,
  type JsonObject,
} from './request-fields.ts';
import { scanRequestBody } from './request-scan.ts';
import { checkRequestSize } from './request-size.ts';
import { checkModules, knownTypes, sourceTypeOf, sourceWords, unique } from './request-source.ts';
import { tagOptionsOf } from './tag-options.ts';
import { definitionOfType, isSourceType } from '../source-types.ts';

/** What the service fills in where a request is silent, and what it can be asked for. */
export interface RequestDefaults extends LifeLimits {
  readonly arches: readonly string[];
  readonly sigkeys: readonly string[];
  /** The limits of Pungi configurations, by name. */
  readonly rawConfigLimits: Readonly<Record<string, LifeLimits>>;
  /** Names of the Pungi configurations that may be composed. */
  readonly rawConfigNames: readonly string[];
  readonly baseModuleNames: readonly string[];
  /** Names of the extra target directories. */
  readonly targetDirs: readonly string[];
  /** Names of the Koji hubs beside the default one. */
  readonly hubs: readonly string[];
}

/** The defaults that the settings stand for. */
export function requestDefaults(config: {
  readonly arches: readonly string[];
  readonly sigkeys: readonly string[];
  readonly seconds_to_live: number;
  readonly max_seconds_to_live: number;
  readonly raw_config_urls: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  readonly base_module_names: readonly string[];
  readonly extra_target_dirs: Readonly<Record<string, string>>;
  readonly koji_hubs: Readonly<Record<string, string>>;
}): RequestDefaults {
  const life = { secondsToLive: config.seconds_to_live, maxSecondsToLive: config.max_seconds_to_live };
  return {
    arches: config.arches,
    sigkeys: config.sigkeys,
    ...life,
    rawConfigLimits: rawConfigLimits(config.raw_config_urls, life),
    rawConfigNames: Object.keys(config.raw_config_urls),
    baseModuleNames: config.base_module_names,
    targetDirs: Object.keys(config.extra_target_dirs),
    hubs: Object.keys(config.koji_hubs),
  };
}

/**
 * A request body that is worth looking at: an object with something in it, without values ODCS refuses anywhere.
 * Throws `request.empty`, `request.invalid_value`, `request.value_too_large`.
 */
function checkRequestBody(body: unknown): JsonObject {
  const isEmpty =
    !body ||
    (Array.isArray(body) && body.length === 0) ||
    (isJsonObject(body) && Object.keys(body).length === 0);
  if (isEmpty) refuseRequest('request.empty', 'No JSON POST data submitted');
  return checkObject(body);
}

function checkObject(body: unknown): JsonObject {
  checkRequestSize(body);
  if (!isJsonObject(body)) {
    refuseRequest(
      'request.invalid_value',
      `The request should be a JSON object, received: ${quoteBody(body)}`,
    );
  }
  scanRequestBody(body);
  return body;
}

/**
 * What a request body asks for, with defaults filled in: the body of ODCS's POST, or the flat form of release
 * 0.0.1 (`source_type` and `source` are strings). Checks run in the order of ODCS and fail with its sentences.
 * Throws ReactorError with a code `request.…`. Source: ODCS contract 3 and 24; first release, "The request".
 */
export function parseComposeRequest(body: unknown, defaults: RequestDefaults): ComposeRequest {
  const checked = checkRequestBody(body);
  const isFlat = typeof checked['source_type'] === 'string' && typeof checked['source'] === 'string';
  return isFlat ? parseFlat(checked, defaults) : parseNested(checked, defaults, 'colons');
}

/**
 * The same for the address of release 0.0.1, where a body that is not of today's form is measured by the flat one.
 * Throws `request.missing_source_type`, `request.missing_source`, `request.unknown_source_type` and those of
 * `parseComposeRequest`. Source: ODCS contract 24.
 */
export function parseFirstReleaseRequest(body: unknown, defaults: RequestDefaults): ComposeRequest {
  const checked = checkRequestBody(body);
  return isJsonObject(checked['source'])
    ? parseNested(checked, defaults, 'colons')
    : parseFlat(checked, defaults);
}

function parseFlat(body: JsonObject, defaults: RequestDefaults): ComposeRequest {
  const { source_type: type, source, packages, ...rest } = body;
  if (type === undefined || type === '') refuseRequest('request.missing_source_type', 'Missing source_type');
  if (source === undefined || source === '') refuseRequest('request.missing_source', 'Missing source');
  if (!isSourceType(type)) {
    refuseRequest('request.unknown_source_type', `Unknown source_type ${String(type)}`, knownTypes);
  }
  if (type === 'module' && packages !== undefined) {
    refuseRequest('request.packages_of_modules', 'Exact packages cannot be set for MODULE source type.');
  }
  const nested = { type, source, ...(packages === undefined ? {} : { packages }) };
  return parseNested({ ...rest, source: nested }, defaults, 'dashes');
}

function parseNested(
  body: JsonObject,
  defaults: RequestDefaults,
  modules: 'colons' | 'dashes',
): ComposeRequest {
  const source = body['source'];
  const secondsToLive = lifeField(body, lifeLimitsOf(defaults, rawConfigOf(source)));
  if (!isJsonObject(source)) {
    refuseRequest(
      'request.invalid_source',
      `Invalid source configuration provided: ${quoteBody(body)}`,
      'Write "source": {"type": "tag", "source": "f26"}.',
    );
  }
  const sourceType = sourceTypeOf(source);
  const words = sourceWords(source, sourceType);
  definitionOfType[sourceType].checkWords?.(words, { ...defaults, moduleForm: modules });
  const builds = namesField(source, 'builds', 'hubNvr');
  const tags = listField(source, 'modular_koji_tags');
  const tasks = listField(source, 'scratch_build_tasks');
  const flags = namesOf(body, 'flags', { ...composeFlags, no_flags: 0 }, 'Unknown flag');
  const results = namesOf(body, 'results', composeResults, 'Unknown result');
  const multilib = namesOf(body, 'multilib_method', multilibMethods, 'Unknown multilib method');
  const moduleDefaults = moduleDefaultsOf(source);
  const tagOptions = tagOptionsOf(source, sourceType);
  const arches = namesField(body, 'arches', 'arch') ?? [];
  const request: ComposeRequest = {
    sourceType,
    source: words,
    ...(tagOptions === null ? {} : { tagOptions }),
    packages: listField(source, 'packages'),
    builds,
    sigkeys: sigkeysField(source) ?? defaults.sigkeys,
    kojiEvent: countField(source, 'koji_event'),
    modularKojiTags: tags,
    moduleDefaults,
    scratchModules: checkModules(listField(source, 'scratch_modules')),
    scratchBuildTasks: tasks,
    modules: checkModules(listField(source, 'modules')),
    baseModule: {
      name: nameField(source, 'base_module_br_name', 'moduleName'),
      stream: nameField(source, 'base_module_br_stream', 'moduleStream'),
      streamVersionLte: countField(source, 'base_module_br_stream_version_lte'),
      streamVersionGte: countField(source, 'base_module_br_stream_version_gte'),
    },
    parentPungiComposeIds: namesField(body, 'parent_pungi_compose_ids', 'composeId'),
    flags: inTableOrder(composeFlags, flags),
    results: inTableOrder(composeResults, ['repository', ...results]),
    arches: arches.length === 0 ? defaults.arches : unique(arches),
    multilibArches: unique(namesField(body, 'multilib_arches', 'arch') ?? []),
    multilibMethods: inTableOrder(multilibMethods, multilib),
    lookasideRepos: unique(listField(body, 'lookaside_repos') ?? []),
    label: nameField(body, 'label', 'label'),
    composeType: nameField(body, 'compose_type', 'composeType') || 'test',
    respinOf: nameField(body, 'respin_of', 'composeId'),
    targetDir: targetDirOf(body, defaults),
    secondsToLive,
  };
  checkHubs(request, defaults.hubs);
  return request;
}

/** The text `name#commit` of a source that is a Pungi configuration. */
function rawConfigOf(source: unknown): string | undefined {
  if (!isJsonObject(source) || source['type'] !== 'raw_config') return undefined;
  return typeof source['source'] === 'string' ? source['source'] : undefined;
}

/** Throws `request.invalid_name`, `request.unknown_hub`, `koji.hubs_mixed`. */
function checkHubs(request: ComposeRequest, hubs: readonly string[]): void {
  const { sourceType, source, builds, modularKojiTags, scratchBuildTasks } = request;
  const tags = sourceType === 'tag' ? source : [];
  for (const tag of tags) checkHubOf(tag, 'hubTag', { where: 'source', hubs });
  for (const nvr of builds ?? []) checkHubOf(nvr, 'hubNvr', { where: 'builds', hubs });
  for (const tag of modularKojiTags ?? []) checkHubOf(tag, 'hubTag', { where: 'modular_koji_tags', hubs });
  for (const id of scratchBuildTasks ?? []) checkHubOf(id, 'hubTag', { where: 'scratch_build_tasks', hubs });
  hubOfRequest(request);
}

/** Names of one table, checked. The sentence for an unknown one quotes it only where ODCS does. */
function namesOf<K extends string>(
  body: JsonObject,
  key: string,
  table: Readonly<Record<K, number>>,
  complaint: string,
): readonly K[] {
  const isKnown = (name: string): name is K => Object.hasOwn(table, name);
  return (listField(body, key) ?? []).map((name) => {
    if (isKnown(name)) return name;
    const quoted = key === 'multilib_method' ? `"${name}"` : name;
    throw new ReactorError('request.unknown_name', `${complaint} ${quoted}`, {
      where: key,
      hint: `Known are: ${Object.keys(table).join(', ')}.`,
    });
  });
}

/** The names as the table orders them, each once; names the table does not have are left out. */
function inTableOrder<K extends string>(
  table: Readonly<Record<K, number>>,
  names: readonly string[],
): readonly K[] {
  return (Object.keys(table) as K[]).filter((name) => names.includes(name));
}

function moduleDefaultsOf(source: JsonObject): ComposeRequest['moduleDefaults'] {
  const url = textField(source, 'module_defaults_url');
  const commit = textField(source, 'module_defaults_commit');
  if (url && commit) return { url, commit };
  if (!url && !commit) return null;
  return refuseRequest(
    'request.module_defaults_incomplete',
    'The "module_defaults_url" and "module_defaults_commit" must be used together.',
  );
}

function targetDirOf(body: JsonObject, defaults: RequestDefaults): string {
  const name = textField(body, 'target_dir') || 'default';
  if (name !== 'default' && !defaults.targetDirs.includes(name)) {
    refuseRequest('request.unknown_target_dir', `Unknown "target_dir" "${name}"`);
  }
  return name;
}

/** What PATCH may change of a compose that is made again or lives longer. Null is "not given". */
export interface RenewRequest {
  readonly secondsToLive: number;
  readonly sigkeys: readonly string[] | null;
  readonly label: string | null;
  readonly builds: readonly string[] | null;
  readonly modules: readonly string[] | null;
}

/**
 * Returns what the body of PATCH asks for; no body counts as `{}`. Keys ODCS does not read there are ignored once they
 * are looked at, and an empty label is none. `renewed` is what the compose was made of. Throws `request.…` as
 * `parseComposeRequest` does. Source: ODCS contract 5 and 25.
 */
export function parseRenewRequest(
  body: unknown,
  defaults: RequestDefaults,
  renewed: Pick<ComposeRequest, 'sourceType' | 'source'> | undefined,
): RenewRequest {
  const checked = body === undefined ? {} : checkObject(body);
  const source = isJsonObject(checked['source']) ? checked['source'] : {};
  const rawConfig = renewed?.sourceType === 'raw_config' ? renewed.source[0] : undefined;
  const builds = namesField(source, 'builds', 'hubNvr');
  for (const nvr of builds ?? []) checkHubOf(nvr, 'hubNvr', { where: 'builds', hubs: defaults.hubs });
  return {
    secondsToLive: lifeField(checked, lifeLimitsOf(defaults, rawConfig)),
    sigkeys: sigkeysField(checked),
    label: nameField(checked, 'label', 'label') || null,
    builds,
    modules: checkModules(listField(source, 'modules')),
  };
}

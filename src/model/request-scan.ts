import { ReactorError } from './errors.ts';
import { isTagOption } from './tag-options.ts';

const listKeys = new Set([
  'builds',
  'multilib_method',
  'packages',
  'scratch_build_tasks',
  'scratch_modules',
  'sigkeys',
  'modules',
]);
const textKeys = new Set([
  'base_module_br_name',
  'base_module_br_stream',
  'compose_type',
  'label',
  'target_dir',
  'type',
]);
const integerKeys = new Set([
  'seconds_to_live',
  'koji_event',
  'base_module_br_stream_version_lte',
  'base_module_br_stream_version_gte',
]);

/** Keys of this service alone, and not of ODCS. */
const ownKeys = new Set(['readers', 'keep', 'notify']);

const forbiddenCharacter = /[^\p{L}\p{N} \-/_.:#+?$~^]/u;
/** Definitions are a type of this service alone; their words pin parts: `main baseos=17`. */
const forbiddenInDefinition = /[^\p{L}\p{N} \-/_.:#+?$~^=]/u;
/** Names of packages are free, but no database keeps these. */
const unstorable = /\p{Cc}|\p{Cs}/u;
const characterSentence =
  "Only alphanumerical characters and [' ', '-', '/', '_', '.', ':', '#', '+', '?', '$', '~', '^'] characters are allowed in ODCS input variables";

function refuse(message: string): never {
  throw new ReactorError('request.invalid_value', message);
}

/**
 * Looks through a whole request body for values that ODCS refuses wherever they stand, and throws
 * `request.invalid_value` for the first one in the order of keys. `checkRequestSize` has bounded its depth. Source: ODCS contract 3, "Value scan".
 */
export function scanRequestBody(body: object): void {
  scan(body, 0);
}

function scan(container: object, level: number, within?: string): void {
  const isDefinition = isOfDefinition(container);
  for (const [key, value] of Object.entries(container) as [string, unknown][]) {
    // ODCS has none of these; who reads them checks them whole.
    if (level === 0 && ownKeys.has(key)) continue;
    if (level === 1 && within === 'source' && isTagOption(key)) continue;
    if (!Array.isArray(container)) checkKind(key, value);
    if (typeof value === 'string') {
      const ownWords = isDefinition && key === 'source' ? forbiddenInDefinition : forbiddenCharacter;
      if ((within === 'packages' ? unstorable : ownWords).test(value)) refuse(characterSentence);
    } else if (Array.isArray(value)) {
      scan(value, level + 1, key);
    } else if (typeof value === 'object' && value !== null) {
      if (level !== 0 || key !== 'source') refuse("Only 'source' key is allowed to contain dict.");
      scan(value, level + 1, key);
    } else if (typeof value !== 'number' && typeof value !== 'boolean') {
      refuse(
        `Only dict, list, str, unicode, int, float and bool types are allowed in ODCS input variables, but '${key}' has '<class 'NoneType'>' type`,
      );
    }
  }
}

/** Whether an object is the source of a request for a definition, or the flat request for one. */
function isOfDefinition(container: object): boolean {
  const type = 'source_type' in container ? container.source_type : 'type' in container && container.type;
  return type === 'definition';
}

function checkKind(key: string, value: unknown): void {
  if (listKeys.has(key) && !Array.isArray(value)) refuse(`${key} should be a list`);
  if (textKeys.has(key) && typeof value !== 'string') refuse(`${key} should be a string`);
  if (!integerKeys.has(key) || typeof value === 'boolean') return;
  if (!Number.isInteger(value)) refuse(`${key} should be an integer`);
  // A life is capped, however long.
  if (key !== 'seconds_to_live' && Number(value) > Number.MAX_SAFE_INTEGER) {
    refuse(`${key} should not be greater than ${Number.MAX_SAFE_INTEGER}`);
  }
}

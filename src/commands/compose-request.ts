import { existsSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { messageOf, ReactorError } from '../model/errors.ts';
import type { LockOrigin } from './lock-file.ts';

/** What is asked of a compose, as the options of `create` and `plan` say. */
export interface RequestOptions {
  readonly arch?: readonly string[] | undefined;
  readonly flag?: readonly string[] | undefined;
  readonly sigkey?: readonly string[] | undefined;
  readonly build?: readonly string[] | undefined;
  readonly lookaside?: readonly string[] | undefined;
  readonly secondsToLive?: string | undefined;
  readonly label?: string | undefined;
  readonly composeType?: string | undefined;
  readonly series?: string | undefined;
  readonly body?: string | undefined;
}

/** What is asked of a lock file. */
export interface LockOptions {
  readonly packages?: readonly string[] | undefined;
  readonly installed?: string | undefined;
  readonly assume?: readonly string[] | undefined;
  readonly arch?: readonly string[] | undefined;
  /** False for `--no-sources`. */
  readonly sources: boolean;
  readonly allowBroken?: true | undefined;
}

/** Reads JSON as it is, or of a file behind `@`. */
function readBody(given: string): unknown {
  try {
    return JSON.parse(given.startsWith('@') ? readFileSync(given.slice(1), 'utf8') : given);
  } catch (cause) {
    throw new ReactorError(
      'compose.usage',
      `The value of --body cannot be read as JSON: ${messageOf(cause)}.`,
      {
        hint: "Write --body '{…}', or --body @request.json to read a file.",
        cause,
      },
    );
  }
}

/** Whether a source is a directory here: the service knows no other working directory than its own. */
function isLocal(source: string): boolean {
  return !source.includes(' ') && !/^https?:/.test(source) && existsSync(source);
}

/** The body of POST that the arguments stand for. Throws `compose.usage`. */
export function requestBody(words: readonly string[], values: RequestOptions): unknown {
  if (values.body !== undefined) return readBody(values.body);
  const [type, source, ...packages] = words;
  if (type === undefined || source === undefined) {
    throw new ReactorError('compose.usage', 'create needs a source type and a source.', {
      hint: 'For example: odcs-reactor compose create repo /path/of/a/repository ed',
    });
  }
  const sigkeys = values.sigkey?.map((key) => (key === 'none' ? '' : key));
  const seconds = values.secondsToLive;
  return {
    source: {
      type,
      source: type === 'repo' && isLocal(source) ? resolve(source) : source,
      ...(packages.length === 0 ? {} : { packages }),
      ...(sigkeys === undefined ? {} : { sigkeys }),
      ...(values.build === undefined ? {} : { builds: values.build }),
    },
    ...(values.arch === undefined ? {} : { arches: values.arch }),
    ...(values.flag === undefined ? {} : { flags: values.flag }),
    ...(values.lookaside === undefined ? {} : { lookaside_repos: values.lookaside }),
    ...(seconds === undefined ? {} : { seconds_to_live: Number(seconds) }),
    ...(values.label === undefined ? {} : { label: values.label }),
    ...(values.series === undefined ? {} : { series: values.series }),
    ...(values.composeType === undefined ? {} : { compose_type: values.composeType }),
  };
}

/** What a lock file is made of, as the arguments say. Throws what reading the list of installed packages throws. */
export function lockOrigin(of: string, values: LockOptions): LockOrigin {
  const words = (lists: readonly string[] | undefined): string[] | undefined =>
    lists?.flatMap((list) => list.split(/[\s,]+/)).filter((word) => word !== '');
  const installed =
    values.installed === undefined ? undefined : words([readFileSync(values.installed, 'utf8')]);
  const [packages, assumed] = [words(values.packages), words(values.assume)];
  return {
    of,
    body: {
      ...(values.arch === undefined ? {} : { arches: values.arch }),
      ...(packages === undefined ? {} : { packages }),
      ...(installed === undefined ? {} : { installed }),
      ...(assumed === undefined ? {} : { assumeProvides: assumed }),
      ...(values.sources ? {} : { noSources: true }),
      ...(values.allowBroken === true ? { allowBroken: true } : {}),
    },
  };
}

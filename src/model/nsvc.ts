import { ReactorError } from './errors.ts';
import { checkName } from './names.ts';

/** Name, stream, version and context of one module build. All are text: versions pass 2^53, contexts look like numbers. */
export interface Nsvc {
  readonly name: string;
  readonly stream: string;
  readonly version: string;
  readonly context: string;
}

/** A module as a requester writes it: `N:S`, `N:S:V` or `N:S:V:C`. */
export interface ModuleRequest {
  readonly name: string;
  readonly stream: string;
  readonly version?: string;
  readonly context?: string;
  /** The words of the requester, for errors and for MBS. */
  readonly text: string;
}

/** Writes `name:stream:version:context`. */
export function formatNsvc(nsvc: Nsvc): string {
  return `${nsvc.name}:${nsvc.stream}:${nsvc.version}:${nsvc.context}`;
}

/** Reads exactly `name:stream:version:context`. Throws `module.invalid`. */
export function parseNsvc(text: string): Nsvc {
  const [name, stream, version, context, ...rest] = text.split(':');
  if (!name || !stream || !version || !context || rest.length > 0) {
    throw new ReactorError('module.invalid', `"${text}" is not a name:stream:version:context.`, {
      hint: 'Write it as MBS does, for example nodejs:18:3620220414203055:5e5ad4a0.',
    });
  }
  return { name, stream, version, context };
}

/**
 * Reads `N:S[:V[:C]]`. Parts after the fourth are ignored, as MBS ignores them. Throws `module.invalid` with the
 * sentence that ODCS clients know. Source: module contract 1.1.
 */
export function parseModuleRequest(text: string): ModuleRequest {
  const [name, stream, version, context] = text.split(':');
  if (!name || !stream) {
    throw new ReactorError(
      'module.invalid',
      `Module definition must be in "n:s", "n:s:v" or "n:s:v:c" format, but got ${text}`,
      { hint: 'Name at least the module and its stream, for example nodejs:18.' },
    );
  }
  return { name, stream, ...(version ? { version } : {}), ...(context ? { context } : {}), text };
}

/** Returns the request, whose parts are fit for paths and URLs. Throws `module.invalid`. */
export function checkModuleRequest<Request extends Omit<ModuleRequest, 'text'>>(request: Request): Request {
  const where = [request.name, request.stream, request.version, request.context].filter(Boolean).join(':');
  checkName('moduleName', request.name, { code: 'module.invalid', where });
  checkName('moduleStream', request.stream, { code: 'module.invalid', where });
  if (request.version !== undefined) {
    checkName('moduleVersion', request.version, { code: 'module.invalid', where });
  }
  if (request.context !== undefined) {
    checkName('moduleContext', request.context, { code: 'module.invalid', where });
  }
  return request;
}

/** Whether the request names one build, name to context; a fifth part makes it incomplete. Source: module contract 1.1. */
export function isCompleteRequest(request: ModuleRequest): boolean {
  return request.text.split(':').length === 4;
}

/** The modules of a `source`: separated by white space, empty when there are none. */
export function splitModuleSource(source: string): readonly string[] {
  return source.split(/\s+/).filter((word) => word !== '');
}

/**
 * Every reading of the dashed form of release 0.0.1 (`name-stream` or `name-stream-version`), the split furthest to
 * the right first. Names and streams may hold dashes themselves, so only MBS can tell which one is meant; a version
 * is always a number. Source: first release, "The request".
 */
export function dashedCandidates(text: string): readonly ModuleRequest[] {
  const found: ModuleRequest[] = [];
  const last = text.lastIndexOf('-');
  const version = text.slice(last + 1);
  if (last > 0 && /^\d+$/.test(version)) {
    for (const { name, stream } of dashSplits(text.slice(0, last))) {
      found.push({ name, stream, version, text: `${name}:${stream}:${version}` });
    }
  }
  for (const { name, stream } of dashSplits(text)) found.push({ name, stream, text: `${name}:${stream}` });
  return found;
}

function dashSplits(text: string): { name: string; stream: string }[] {
  const splits: { name: string; stream: string }[] = [];
  for (let dash = text.lastIndexOf('-'); dash > 0; dash = text.lastIndexOf('-', dash - 1)) {
    if (dash < text.length - 1) splits.push({ name: text.slice(0, dash), stream: text.slice(dash + 1) });
  }
  return splits;
}

/**
 * Orders two module versions as the numbers they are, of any size: negative, zero or positive. A version that is no
 * number sorts below all numbers, so that a broken record never hides a good one. Source: module contract 2.1, 8.5.
 */
export function compareModuleVersions(left: string, right: string): number {
  const a = digitsOf(left);
  const b = digitsOf(right);
  if (a === null || b === null) return a === b ? 0 : a === null ? -1 : 1;
  if (a.length !== b.length) return a.length - b.length;
  return a === b ? 0 : a < b ? -1 : 1;
}

function digitsOf(version: string): string | null {
  return /^\d+$/.test(version) ? version.replace(/^0+(?=\d)/, '') : null;
}

/**
 * The version of a Koji build that holds this stream: dashes become underscores, so `a-b` and `a_b` share a name.
 * Source: module contract 4.1.
 */
export function kojiStream(stream: string): string {
  return stream.replaceAll('-', '_');
}

/**
 * What becomes of the message, job or request that met an error:
 * `drop` it can never work, `retry` it may work later, `halt` the configuration is wrong and the role stops.
 */
export type ErrorFate = 'drop' | 'retry' | 'halt';

export interface ReactorErrorDetails {
  /** What the reader can do about it. */
  readonly hint?: string;
  /** Where it happened: a path, an URL, `file:line:column`, an NVR. */
  readonly where?: string;
  /** Defaults to `drop`. */
  readonly fate?: ErrorFate;
  readonly cause?: unknown;
}

/**
 * An error a user can reach. The code is stable and documented in `docs/errors.md`, the message is a sentence.
 * Mistakes of the programmer stay plain `Error`s.
 */
export class ReactorError extends Error {
  override readonly name = 'ReactorError';
  readonly code: string;
  readonly hint: string | undefined;
  readonly where: string | undefined;
  readonly fate: ErrorFate;

  constructor(code: string, message: string, details: ReactorErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.code = code;
    this.hint = details.hint;
    this.where = details.where;
    this.fate = details.fate ?? 'drop';
  }
}

/**
 * What a log line says of an error: the code and the sentence of one that was foreseen, everything of one that was
 * not, so that only mistakes of the programmer bring a stack.
 */
export function errorFields(error: unknown): Record<string, unknown> {
  if (!(error instanceof ReactorError)) return { err: error };
  const { code, message, where, cause } = error;
  return {
    code,
    reason: message,
    ...(where === undefined ? {} : { where }),
    ...(cause === undefined ? {} : { cause: messageOf(cause) }),
  };
}

/** Returns the message of anything that was thrown, or of a plain copy of it, as one line of text. */
export function messageOf(thrown: unknown): string {
  if (typeof thrown === 'object' && thrown !== null && 'message' in thrown) return String(thrown.message);
  return String(thrown);
}

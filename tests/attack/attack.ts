import type { Random } from '../fuzz/random.ts';
import type { HostileUpstream } from './hostile-upstream.ts';

/**
 * What an attack has reached. `escaped`: something outside what the service may touch was read, written or published.
 * `frozen`: the service said nothing any more, or ended. `serverErrors`: a 5xx that is not a deliberate 503.
 * `overLimit`: more memory, processor time or bytes than promised.
 */
export type Harm = 'escaped' | 'frozen' | 'serverErrors' | 'overLimit';

export interface Answer {
  readonly status: number;
  readonly text: string;
}

export interface AskOptions {
  readonly body?: string | Buffer;
  readonly headers?: Readonly<Record<string, string>>;
  /** Milliseconds until the attacker gives up; 20,000 by default. */
  readonly patience?: number;
  /** Service to ask; by default the one under attack. */
  readonly url?: string;
  /** Address the request comes from. */
  readonly from?: string;
}

/** A compose as an attacker sees it when it has ended. */
export interface EndedCompose {
  readonly id: number;
  readonly state: string;
  readonly reason: string;
}

/** What an attack works with. */
export interface AttackContext {
  readonly url: string;
  readonly random: Random;
  readonly isShort: boolean;
  /** Ends when the service has frozen or the time of the attack is over. */
  readonly signal: AbortSignal;
  readonly upstream: HostileUpstream;
  /** An empty directory for repositories; its files are nothing the service may change. */
  readonly directory: string;
  /** A good repository in a directory, with `curl` in it. */
  readonly goodRepository: string;
  /** What is in files that nobody may read. */
  readonly secret: string;
  /** A path of a file that holds the secret. */
  readonly secretFile: string;
  /** A published compose, of which nothing may change. */
  readonly victim: number;
  /** Makes one request and counts it as an attack; null where no answer came. */
  ask(method: string, path: string, options?: AskOptions): Promise<Answer | null>;
  /** Asks for a compose and waits until it has ended, at most `seconds`; null where it was refused or did not end. */
  compose(request: object, seconds?: number): Promise<EndedCompose | null>;
  /** Counts attacks that are made otherwise than by `ask`. */
  count(attacks?: number): void;
  report(harm: Harm, detail: string): void;
  /** Processor seconds the service has used so far; null for one that somebody else started. */
  processorSeconds(): number | null;
  /** Where the service with `secondSettings` listens; empty for a family without them. */
  readonly secondUrl: string;
}

/** One family of attacks. */
export interface Attack {
  /** Name for `--only`. */
  readonly name: string;
  /** Faults of this kind that were found and mended once, by number; also for `--only`. */
  readonly faults: readonly string[];
  /** What it does, in a sentence. */
  readonly does: string;
  /** Settings (`ODCS_…`) of a second service that the family needs beside the one under attack. */
  readonly secondSettings?: Readonly<Record<string, string>>;
  run(context: AttackContext): Promise<void>;
}

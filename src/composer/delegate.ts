import type { Log } from '../log.ts';
import type { Compose, ComposeJson } from '../model/compose-json.ts';
import type { ComposeIdentity } from '../rpm/productmd.ts';
import type { Progress } from './selection.ts';

/** Another program that makes a whole compose, where the service does not make it itself. */
export interface Delegate {
  /** What decides what it makes, as options of the manifest. */
  readonly options: Readonly<Record<string, string>>;
  /**
   * Makes the compose in its directory, which people see meanwhile. Throws what keeps it from being made, and the
   * reason of the signal, at once.
   */
  readonly make: (context: DelegateContext) => Promise<DelegatedCompose>;
}

/** What a delegate makes a compose of. */
export interface DelegateContext {
  readonly signal: AbortSignal;
  readonly progress: Progress;
  readonly log: Log;
  /** Lets the compose take so many seconds from now. Without a call it may take for ever. */
  readonly limitTime: (seconds: number) => void;
  /** Shows people what the compose is called, where that is known before it is made. */
  readonly nameCompose: (pungiComposeId: string) => Promise<void>;
  readonly targetDir: string;
  /** Absolute path; nothing lies there. */
  readonly directory: string;
  /** The compose as it was when the attempt began, with its inputs pinned. */
  readonly compose: Compose;
  /** The same, as clients see it. */
  readonly json: ComposeJson;
  readonly identity: ComposeIdentity;
  /** The configuration of the compose that this one makes again; null for what is made anew. */
  readonly configDump: string | null;
}

/** What a delegate made. */
export interface DelegatedCompose {
  readonly pungiComposeId: string;
  /** The whole configuration, to make it again by; null where that is not wanted. */
  readonly configDump: string | null;
  readonly warnings: readonly string[];
}

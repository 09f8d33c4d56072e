import type { OpenAPIHono } from '@hono/zod-openapi';
import type { Context } from 'hono';
import type { Registry } from 'prom-client';
import type { Clock } from '../clock.ts';
import type { Config } from '../config.ts';
import type { Database } from '../database/database.ts';
import type { Log } from '../log.ts';
import type { Compose } from '../model/compose-json.ts';
import type { ComposeRequest } from '../model/compose.ts';
import type { LockRequest } from '../model/lock-request.ts';
import type { LockFile } from '../rpm/lock-file.ts';
import type { BearerVerifier } from '../upstream/oidc/bearer.ts';
import type { UserGroups } from '../upstream/user-groups.ts';
import type { ChangeWatch } from './change-watch.ts';
import type { ComposeWatch } from './compose-watch.ts';
import type { OpenStreams } from './event-stream.ts';
import type { EventTail } from './event-tail.ts';
import type { FilePart } from './file-part.ts';
import type { ReadableFiles } from './readable-files.ts';
import type { TargetDirUrls } from '../model/target-dir-urls.ts';

/** How one part of the process is. */
export interface HealthPart {
  readonly name: string;
  readonly isWell: boolean;
  /** One sentence, for people. */
  readonly detail: string;
}

/** What a compose would be, without making it. */
export interface PlannedCompose {
  readonly fingerprint: string;
  /** Sorted lines: packages and options. */
  readonly manifest: readonly string[];
  readonly warnings: readonly string[];
  /** Bytes of all its packages. */
  readonly bytes: number;
  /** Returns why a package of an arch is in it; empty where it is not. */
  readonly whyOf: (arch: string, fileName: string) => string;
}

/** A compose that is planned, without making it. */
export interface AskedPlan {
  readonly request: ComposeRequest;
  readonly series: string | null;
}

/** A compose that is to be locked, and where its files lie for builds. */
export interface AskedLock {
  readonly compose: Compose;
  readonly address: { readonly url: string; readonly repoid: string };
  readonly request: LockRequest;
}

/** Everything the routes work with. */
export interface ApiContext {
  readonly config: Config;
  readonly database: Database;
  readonly clock: Clock;
  readonly log: Log;
  readonly version: string;
  /** Public URLs of the target directories. */
  readonly targetDirUrls: TargetDirUrls;
  /** Calls back when a compose changes; shared by all who wait. */
  readonly watch: ComposeWatch;
  /** Follows the stored events; shared by all who do. */
  readonly events: EventTail;
  /** Says when something that pages show has changed; shared by all who look. */
  readonly changes: ChangeWatch;
  /** The streams this process has open. */
  readonly streams: OpenStreams;
  /** Knows the groups of users; asks LDAP or the OIDC provider. */
  readonly userGroups: UserGroups;
  /** Checks bearer tokens; null where a proxy does. */
  readonly bearers: BearerVerifier | null;
  /** Says which published files the caller may read. */
  readonly readable: ReadableFiles;
  /** How the other roles of this process are. */
  readonly health: () => Promise<readonly HealthPart[]>;
  /** Whether the process takes no more work and is soon to stop; absent where it never does. */
  readonly isDraining?: () => boolean;
  /** Plans a request for `?dry_run=1`; absent where this process has no composer. */
  readonly plan?: (asked: AskedPlan, signal: AbortSignal) => Promise<PlannedCompose>;
  /** Makes lock files out of the repodata of composes; absent where this process has no composer. */
  readonly lock?: (asked: AskedLock, signal: AbortSignal) => Promise<LockFile>;
  /** Further metrics of this process, shown with those of the API. */
  readonly metrics?: Registry;
}

/** What Hono carries along with a request. */
export interface ApiEnv {
  Bindings: {
    /** Of @hono/node-server; absent where no socket is behind the request. */
    readonly incoming?: { readonly socket: { readonly remoteAddress?: string | undefined } };
    /** The same; destroying it cuts the connection. */
    readonly outgoing?: { destroy(): unknown };
    /**
     * What the server is to write after the head of the response: through streams of the web the bytes of a large file cost
     * several times the CPU.
     */
    filePart?: FilePart;
  };
  Variables: { requestId: string };
}

export type ApiApp = OpenAPIHono<ApiEnv>;
export type ApiRequest = Context<ApiEnv>;

/** Every file in routes/ exports one of these: it documents its paths and puts its handlers on the app. */
export type RegisterRoute = (app: ApiApp, context: ApiContext) => void;

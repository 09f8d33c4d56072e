import type { SourceType } from '../source-types.ts';
import type { ColumnType, Generated, GeneratedAlways } from 'kysely';
import type { StoredCompose } from '../model/compose-json.ts';
import type { ComposeRequest, ComposeResult, ComposeState } from '../model/compose.ts';
import type { DomainEvent } from '../model/event.ts';
import type { AnnouncedImages } from '../model/image-changes.ts';
import type { Image } from '../model/image.ts';
import type { ImageProblem, ImageSource, ImageValidators } from '../model/image-source.ts';
import type { ImageTask, ImageTaskState, KojiCall } from '../model/image-task.ts';
import type { Keep } from '../model/keep.ts';
import type { AnnouncedAdvisories } from '../model/new-advisories.ts';
import type { Readers } from '../model/readers.ts';
import type { SeriesNotification } from '../model/series-notification.ts';
import type { WhenBusy } from '../model/rule.ts';
import type { Json, NullableJson, NullableTime, Time } from './column-types.ts';
import type {
  DecisionsTable,
  PrivateRulesTable,
  RuleClocksTable,
  RuleGroupsTable,
  RulePausesTable,
  RuleSetsTable,
  SettleWindowsTable,
  WindowCausesTable,
} from './rule-tables.ts';
import type { StageTimes } from '../model/stage-times.ts';

/** One message, stored before it is acknowledged: raw frame and translation. */
export interface EventsTable {
  id: Generated<number>;
  bus: string;
  message_id: string;
  topic: string;
  raw_topic: string;
  received_at: Time;
  sent_at: NullableTime;
  producer: string | null;
  instance: string;
  /** Null where the message could not be translated; `reason` says why. */
  kind: string | null;
  event: ColumnType<DomainEvent | null, string | null, string | null>;
  reason: string | null;
  headers: Json<Record<string, unknown>>;
  body: Buffer;
  /** When the rules have seen it. */
  matched_at: ColumnType<Date | null, Date | undefined, Date>;
  stage: ColumnType<EventStage, EventStage | undefined, EventStage>;
  /** The set of rules that judged it. */
  rule_set: ColumnType<string | null, never, string>;
  /** The trace it belongs to, as the header `traceparent`. */
  trace: ColumnType<string | null, string | null | undefined, never>;
}

/** Where an event is on its way: it waits to be completed, waits to be matched, or nothing is to be done with it. */
export type EventStage = 'enrich' | 'match' | 'done';

/** One compose. Rows are never deleted, as in ODCS. */
export interface ComposesTable {
  id: Generated<number>;
  owner: string;
  /** What was asked for, normalised. */
  request: Json<ComposeRequest>;
  source_type: number;
  /** Blank joined; rewritten once the inputs are pinned. */
  source: string;
  state: ComposeState;
  state_reason: string | null;
  time_submitted: Time;
  time_to_expire: Time;
  time_started: NullableTime;
  time_done: NullableTime;
  time_removed: NullableTime;
  removed_by: string | null;
  koji_event: number | null;
  arches: string;
  sigkeys: string;
  label: string | null;
  compose_type: string;
  respin_of: string | null;
  pungi_compose_id: string | null;
  target_dir: string;
  /** The compose whose directory this one shows. */
  reused_id: number | null;
  fingerprint: string | null;
  priority: string;
  series: string | null;
  /** The request of a rule this compose answers. */
  request_id: number | null;
  idempotency_key: string | null;
  cancel_requested_by: string | null;
  /** Counts the attempts that took the compose; a write of an older one changes nothing. */
  attempt: Generated<number>;
  progress: ColumnType<ComposeProgress | null, string | null, string | null>;
  warnings: Json<string[]>;
  /** The link to the latest compose of its release, relative to the target directory; null where it is of none. */
  latest_link: ColumnType<string | null, never, string | null>;
  /** Digest of what it was planned from; null where the same may bring another plan. */
  inputs_digest: ColumnType<string | null, never, string | null>;
  /** Digest of what it was asked for; null where it is planned for itself. */
  request_digest: ColumnType<string | null, string | null | undefined, never>;
  new_advisories: ColumnType<AnnouncedAdvisories | null, string | null | undefined, string | null>;
  changed_images: ColumnType<AnnouncedImages | null, string | null | undefined, string | null>;
  /** Who may read it; null for everybody. */
  readers: ColumnType<Readers | null, string | null | undefined, string | null>;
  /** The trace it belongs to, as the header `traceparent`. */
  trace: ColumnType<string | null, string | null | undefined, never>;
  /** What the time of its last attempt went into; null where that is not known. */
  stages: ColumnType<StageTimes | null, never, string | null>;
}

/** How far a compose is, for people. */
export interface ComposeProgress {
  readonly stage: string;
  readonly done: number;
  readonly total: number;
  readonly unit: string;
}

/** Manifest lines of a fingerprint, compressed; what answers "why" and "what changed". */
export interface ManifestsTable {
  fingerprint: string;
  lines: Buffer;
  line_count: number;
  created_at: Time;
}

/** What a rule asks of the composer. */
export interface ComposeRequestsTable {
  id: Generated<number>;
  rule: string;
  series: string;
  body: Json<Record<string, unknown>>;
  priority: string;
  /** Ids of the events that led here. */
  causes: Json<readonly number[]>;
  min_event: number | null;
  chain: Json<string[]>;
  unchanged: string;
  when_busy: ColumnType<WhenBusy, WhenBusy | undefined, WhenBusy>;
  /** The request that took this one in. */
  superseded_by: ColumnType<number | null, number | undefined, number>;
  state: 'pending' | 'running' | 'composed' | 'unchanged' | 'failed' | 'superseded' | 'cancelled';
  reason: string | null;
  compose_id: number | null;
  not_before: NullableTime;
  /** Counts the attempts that took the request; a write of an older one changes nothing. */
  attempt: Generated<number>;
  /** When the attempt began to read the inputs. */
  read_at: ColumnType<Date | null, Date | undefined, Date>;
  /** The Koji event its plan read the tag at; null until it is planned, and for other sources. */
  koji_event: ColumnType<number | null, number | undefined, number | null>;
  /** Whether its plan had to take a copy that is not signed with the first key. */
  took_fallback: ColumnType<boolean, boolean | undefined, boolean>;
  /** Whether nothing but sweeps led to it. */
  is_swept: ColumnType<boolean, boolean | undefined, boolean>;
  /** The trace it belongs to, as the header `traceparent`. */
  trace: ColumnType<string | null, string | null | undefined, never>;
  created_at: Time;
  started_at: NullableTime;
  finished_at: NullableTime;
}

/** A line of composes: every one of them carries its name. */
export interface SeriesTable {
  name: string;
  /** Who may continue it beside the rules: a user, or `rule:NAME`. */
  owner: string;
  /** The rule that continues it; null for a person's. */
  rule: string | null;
  keep: ColumnType<Keep | null, string | null, string | null>;
  /** Who hears how its composes end; null for a rule's, which says so itself. */
  notify: NullableJson<readonly SeriesNotification[]>;
  /** Who may read it; null for everybody. */
  readers: ColumnType<Readers | null, string | null | undefined, string | null>;
  created_at: Time;
}

/** The outbox: one message per compose and state, sent to every configured bus until each has accepted it. */
export interface AnnouncementsTable {
  id: Generated<number>;
  message_id: string;
  /** Null where a rule tells something of no compose. */
  compose_id: number | null;
  topic: Generated<string>;
  /** The only bus it is for; null for every bus. */
  only_bus: Generated<string | null>;
  state: string;
  /** What is told; null where it is made from `compose`. */
  body: ColumnType<object | null, string | null, never>;
  /** The compose as it was in that state. */
  compose: ColumnType<StoredCompose | null, string | undefined, never>;
  created_at: Time;
  /** Bus to the time it accepted the message, ISO 8601. */
  accepted: ColumnType<Readonly<Record<string, string>>, string | undefined, string>;
  finished_at: NullableTime;
  attempts: Generated<number>;
  last_error: string | null;
  /** The trace it belongs to, as the header `traceparent`. */
  trace: ColumnType<string | null, string | null | undefined, never>;
}

/** Where a look ended: the time in milliseconds and, where the system numbers its changes, the last number. */
export interface CursorPosition {
  readonly at: number;
  readonly event?: number;
  /** The number of the first look ever: what is not after it is none of this service's. */
  readonly first?: number;
  /** Of a repository: the digest of its repomd.xml, and the revision in it. */
  readonly content?: string;
  readonly revision?: string;
}

/** How far the changes of a system have been looked through. */
export interface ReconcileCursorsTable {
  source: string;
  position: Json<CursorPosition>;
  updated_at: Time;
}

/** The buses that announcers have, and when one last did. */
export interface AnnouncedBusesTable {
  bus: string;
  last_seen: Time;
}

/** The id of this service; one row. */
export interface ServiceIdentityTable {
  is_only: Generated<boolean>;
  id: string;
  made_at: Time;
}

/** The processes of the service; rows of those not seen for a day are forgotten. */
export interface ProcessesTable {
  id: string;
  host: string;
  version: string;
  roles: Json<string[]>;
  source_types: Json<SourceType[]>;
  results: Json<ComposeResult[]>;
  started_at: Time;
  last_seen: Time;
  /** How far its machine's clock is ahead of the database's. */
  skew_ms: Generated<number>;
}

/** Builds in the tags of an embargo. */
export interface EmbargoedBuildsTable {
  nvr: string;
  tag: string;
  since: Time;
}

/** Tokens of the service itself. */
export interface ApiTokensTable {
  id: GeneratedAlways<number>;
  name: string;
  /** SHA-256 of the secret. */
  digest: Buffer;
  owner: string;
  groups: Json<readonly string[]>;
  scopes: Json<readonly string[]>;
  created_at: Time;
  expires_at: Time;
  last_used_at: ColumnType<Date | null, never, Date>;
  revoked_at: ColumnType<Date | null, never, Date>;
}

/** Whole configurations that Pungi made composes of, as JSON; kept as long as the compose. */
export interface PungiConfigDumpsTable {
  compose_id: number;
  dump: string;
}

/** Migrations that earlier versions cannot work with; kept by what runs migrations. */
export interface BreakingMigrationsTable {
  name: string;
  /** The version that ran it. */
  version: string;
}

/** Images that are built from what series show. */
export interface ImagesTable {
  name: string;
  series: string;
  owner: string;
  reference: string | null;
  packages: Json<Image['packages']>;
  /** What it was told to ask for, where its packages are the closure of that; null elsewhere. */
  asks: NullableJson<readonly string[]>;
  updated_at: Time;
  /** Where the service reads the packages itself; null where it is told them. */
  source: NullableJson<ImageSource>;
  /** What was said of the source when it was read last. */
  validators: NullableJson<ImageValidators>;
  /** When the source was looked at last, whether it could be read or not. */
  looked_at: NullableTime;
  /** Why the last look failed. */
  problem: NullableJson<ImageProblem>;
}

/** The tasks of Koji that make images of composes, in the order in which they are begun. */
export interface ImageTasksTable {
  compose_id: number;
  position: number;
  task: Json<ImageTask>;
  call: Json<KojiCall>;
  state: ImageTaskState;
  /** The last task that the service had in Koji before this one was asked for. */
  after_task: number | null;
  task_id: number | null;
  task_url: string | null;
  reason: string | null;
  begun_at: NullableTime;
  ended_at: NullableTime;
}

export interface Tables {
  image_tasks: ImageTasksTable;
  announced_buses: AnnouncedBusesTable;
  api_tokens: ApiTokensTable;
  breaking_migrations: BreakingMigrationsTable;
  service_identity: ServiceIdentityTable;
  processes: ProcessesTable;
  pungi_config_dumps: PungiConfigDumpsTable;
  reconcile_cursors: ReconcileCursorsTable;
  events: EventsTable;
  composes: ComposesTable;
  manifests: ManifestsTable;
  private_rules: PrivateRulesTable;
  embargoed_builds: EmbargoedBuildsTable;
  compose_requests: ComposeRequestsTable;
  decisions: DecisionsTable;
  settle_windows: SettleWindowsTable;
  announcements: AnnouncementsTable;
  window_causes: WindowCausesTable;
  rule_sets: RuleSetsTable;
  rule_groups: RuleGroupsTable;
  rule_pauses: RulePausesTable;
  rule_clocks: RuleClocksTable;
  series: SeriesTable;
  images: ImagesTable;
}

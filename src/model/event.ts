/** Where a message came in. `internal` are events the reactor makes itself: ticks, sweeps, compose states. */
export type Bus = 'fedora-messaging' | 'umb' | 'webhook' | 'internal';

/** What is known of a message whatever it says. */
export interface EventEnvelope {
  readonly bus: Bus;
  /** Unique within the bus; a hash of topic and body where the sender gave none. */
  readonly messageId: string;
  /** Without environment and bus prefixes: `buildsys.tag`, `brew.build.tag`, `repo.changed`. */
  readonly topic: string;
  /** The topic as it came. */
  readonly rawTopic: string;
  /** ISO 8601, UTC. */
  readonly receivedAt: string;
  /** ISO 8601, UTC; null where the sender does not say. */
  readonly sentAt: string | null;
  /** Who sent it, where the broker vouches for it; null elsewhere. */
  readonly producer: string | null;
  /** Whose Koji, MBS or Bodhi speaks: `fedora`, `centos`, `brew`, … */
  readonly instance: string;
}

/** A Koji build as messages name it. What a message does not say is absent. */
export interface EventBuild {
  readonly nvr: string;
  readonly package: string;
  readonly build_id?: number;
  readonly owner?: string;
  /** Names of its binary packages, sorted; present once enriched. */
  readonly rpms?: readonly string[];
}

/**
 * The normalised content of a message, as rules see it: flat, JSON, field names as in rule files. A field the
 * message does not carry is absent, never guessed. Source: RULES 4.2, messages contract 3 and 4.
 */
export type DomainEvent =
  | KojiTagEvent
  | KojiBuildEvent
  | KojiTaskEvent
  | KojiRepoEvent
  | KojiSignEvent
  | KojiPackageListEvent
  | MbsModuleEvent
  | BodhiUpdateEvent
  | BodhiOverrideEvent
  | ErrataEvent
  | ComposeStateEvent
  | GateEvent
  | RepoChangedEvent
  | TickEvent
  | SweptEvent
  | OtherEvent;

export type EventKind = DomainEvent['kind'];

/** `hub` says whose Koji speaks, where it is not the default one; tags and builds are then written with it: `brew:rhel-9`. */
export interface KojiTagEvent {
  readonly kind: 'koji.tag' | 'koji.untag';
  readonly hub?: string;
  readonly tag: string;
  readonly tag_id?: number;
  /** Tags that inherit the tagged one, itself included; present once enriched. */
  readonly feeds?: readonly string[];
  readonly package: string;
  readonly nvr: string;
  readonly build_id?: number;
  readonly user?: string;
  readonly owner?: string;
  readonly side_tag: boolean;
  readonly side_tag_owner?: string;
  readonly koji_event?: number;
}

export interface KojiBuildEvent {
  readonly kind: 'koji.build';
  readonly hub?: string;
  readonly nvr: string;
  readonly package: string;
  readonly build_id?: number;
  readonly state: 'building' | 'complete' | 'deleted' | 'failed' | 'canceled';
  readonly old_state?: string;
  readonly target?: string;
  readonly scratch?: boolean;
  readonly task_id?: number;
  readonly owner?: string;
  readonly btypes?: readonly string[];
}

export interface KojiTaskEvent {
  readonly kind: 'koji.task';
  readonly hub?: string;
  readonly task_id: number;
  readonly method: string;
  readonly state: string;
  readonly old_state?: string;
  readonly parent?: number;
  readonly scratch?: boolean;
  readonly owner?: string;
}

export interface KojiRepoEvent {
  readonly kind: 'koji.repo';
  readonly hub?: string;
  readonly action: 'init' | 'done';
  readonly tag: string;
  readonly tag_id?: number;
  readonly repo_id: number;
}

export interface KojiSignEvent {
  readonly kind: 'koji.sign';
  readonly hub?: string;
  /** Of the build; Fedora's older messages name it by number only. */
  readonly nvr?: string;
  readonly package?: string;
  readonly build_id?: number;
  readonly sigkey: string;
  readonly rpm?: string;
}

export interface KojiPackageListEvent {
  readonly kind: 'koji.package_list';
  readonly hub?: string;
  readonly tag: string;
  readonly package: string;
  readonly action?: string;
  readonly owner?: string;
}

export interface MbsModuleEvent {
  readonly kind: 'mbs.module';
  readonly hub?: string;
  readonly id: number;
  /** Name, stream and version are absent only where the message is cut down to id and state. */
  readonly name?: string;
  readonly stream?: string;
  readonly version?: string;
  readonly context?: string;
  /** `name:stream:version[:context]`. */
  readonly nsvc?: string;
  readonly state: string;
  readonly scratch?: boolean;
  readonly koji_tag?: string;
  readonly owner?: string;
}

export interface BodhiUpdateEvent {
  readonly kind: 'bodhi.update';
  readonly phase: 'request' | 'complete' | 'ready' | 'edit' | 'eject';
  readonly alias: string;
  /** Where the update goes: `testing`, `stable`, … */
  readonly transition?: string;
  readonly type?: string;
  readonly severity?: string;
  readonly release?: string;
  readonly dist_tag?: string;
  readonly status?: string;
  readonly builds: readonly EventBuild[];
  readonly cves?: readonly string[];
  readonly user?: string;
  readonly from_side_tag?: string;
}

export interface BodhiOverrideEvent {
  readonly kind: 'bodhi.override';
  readonly action: 'tag' | 'untag';
  readonly nvr: string;
  readonly package: string;
  readonly user?: string;
}

export interface ErrataEvent {
  readonly kind: 'errata.status' | 'errata.builds' | 'errata.signing';
  readonly id: number;
  readonly type?: string;
  /** `RHSA-2018:34661`; changes when shipped, so never an identity. */
  readonly name?: string;
  readonly from?: string;
  readonly to?: string;
  readonly severity?: string;
  readonly product?: string;
  readonly release?: string;
  readonly content_types?: readonly string[];
  readonly synopsis?: string;
  /** Some field was redacted: nothing it says of the state may be trusted. */
  readonly embargoed: boolean;
  readonly action?: 'add' | 'remove' | 'change';
  readonly builds?: readonly EventBuild[];
}

export interface ComposeStateEvent {
  readonly kind: 'compose.state';
  readonly system: 'odcs' | 'pungi' | 'bodhi';
  readonly id: string;
  readonly state: string;
  /** `composed` or `reused`, of our own composes. */
  readonly outcome?: string;
  readonly series?: string;
  readonly release?: string;
  readonly source?: string;
  readonly source_type?: string;
  readonly fingerprint?: string;
  /** Series this compose was made in consequence of, root first. */
  readonly chain?: readonly string[];
}

export interface GateEvent {
  readonly kind: 'gate';
  readonly system: 'greenwave' | 'resultsdb' | 'waiverdb';
  readonly subject_type?: string;
  readonly subject?: string;
  readonly context?: string;
  readonly satisfied?: boolean;
  readonly outcome?: string;
}

export interface RepoChangedEvent {
  readonly kind: 'repo.changed';
  /** Path or URL of the RPM repository. */
  readonly repo: string;
  readonly revision?: string;
  /** Names of changed packages, where the sender knows them. */
  readonly packages?: readonly string[];
  readonly user?: string;
}

export interface TickEvent {
  readonly kind: 'schedule.tick';
  readonly rule: string;
  readonly at: string;
}

export interface SweptEvent {
  readonly kind: 'state.swept';
  readonly rule: string;
  readonly at: string;
  readonly reason: string;
  readonly koji_event?: number;
  /** Somebody asked: decide without settling. */
  readonly at_once?: boolean;
  /** Somebody asked: compose although nothing changed. */
  readonly force?: boolean;
  /** Values of the group that is looked at again; absent where the rule has no groups. */
  readonly group?: Readonly<Record<string, string | number | boolean>>;
}

/** A topic nobody translates: kept, matched by no rule. */
export interface OtherEvent {
  readonly kind: 'other';
}

/** A message with its meaning. */
export interface InputEvent extends EventEnvelope {
  readonly event: DomainEvent;
}

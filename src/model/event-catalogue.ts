import { composeStates } from './compose.ts';
import type { DomainEvent, EventBuild, EventEnvelope, EventKind } from './event.ts';
import { sourceTypeNames } from '../source-types.ts';

/**
 * What a field's value is: a `name` (tag, NVR, alias, word of a closed list), a `location` (path or URL), a free
 * `text` (never placed in a request), an `integer`, a `boolean`, a list of names, or a list of builds.
 */
export type FieldType = 'name' | 'location' | 'text' | 'integer' | 'boolean' | 'names' | 'builds';

/** One field of an event, as rule files name it. */
export interface EventField {
  readonly type: FieldType;
  readonly doc: string;
  /** Every value there is, of a closed list; absent where senders may add to it. */
  readonly words?: readonly string[];
}

/** Kinds of events a rule file may name under `event:`. Ticks and sweeps are written `schedule:` and `reconcile:`. */
export type RuleEventKind = Exclude<EventKind, 'other' | 'schedule.tick' | 'state.swept'>;

type EventOf<K extends EventKind, E = DomainEvent> = E extends { readonly kind: infer Kind }
  ? K extends Kind
    ? E
    : never
  : never;

type FieldTypeOf<T> = [T] extends [readonly EventBuild[]]
  ? 'builds'
  : [T] extends [readonly string[]]
    ? 'names'
    : [T] extends [boolean]
      ? 'boolean'
      : [T] extends [number]
        ? 'integer'
        : 'name' | 'location' | 'text';

/** Every field of the type, no field besides, each with a type that fits: checked by the compiler. */
type Described<T> = {
  readonly [F in keyof T as F extends 'kind' ? never : F]-?: {
    readonly type: FieldTypeOf<Exclude<T[F], undefined>>;
    readonly doc: string;
    readonly words?: readonly string[];
  };
};

type Catalogue = {
  readonly [K in RuleEventKind]: { readonly doc: string; readonly fields: Described<EventOf<K>> };
};

const name = (doc: string) => ({ type: 'name', doc }) as const;
/** A name of a closed list, which is said after what the field is. */
const word = (words: readonly string[], meaning?: string) =>
  ({
    type: 'name',
    doc: [meaning, words.join(', ')].filter((part) => part !== undefined).join(': '),
    words,
  }) as const;
const location = (doc: string) => ({ type: 'location', doc }) as const;
const text = (doc: string) => ({ type: 'text', doc }) as const;
const integer = (doc: string) => ({ type: 'integer', doc }) as const;
const boolean = (doc: string) => ({ type: 'boolean', doc }) as const;
const names = (doc: string) => ({ type: 'names', doc }) as const;
const builds = (doc: string) => ({ type: 'builds', doc }) as const;

const buildStates = ['building', 'complete', 'deleted', 'failed', 'canceled'];
const taskStates = ['FREE', 'OPEN', 'CLOSED', 'CANCELED', 'ASSIGNED', 'FAILED'];
const pungiStates = ['STARTED', 'FINISHED', 'FINISHED_INCOMPLETE', 'DOOMED', 'TERMINATED'];

const hub = name('the Koji it comes from, where that is not the default one');

const tagFields = {
  hub,
  tag: name('the tag the build was put into or taken from'),
  tag_id: integer("the tag's number in Koji"),
  feeds: names('tags that inherit from the tagged one, itself included; read from Koji'),
  package: name('the package (source name) of the build'),
  nvr: name('name-version-release of the build'),
  build_id: integer("the build's number in Koji"),
  user: name('who tagged'),
  owner: name('who owns the build'),
  side_tag: boolean('whether the tag is a side tag'),
  side_tag_owner: name('who owns the side tag'),
  koji_event: integer('the Koji event of the change'),
};

const errataFields = {
  id: integer("the advisory's number, its only identity"),
  type: word(['RHSA', 'RHBA', 'RHEA']),
  name: name('the advisory as people write it; changes when shipped'),
  from: name('the status before'),
  to: name('the status now'),
  severity: word(['Critical', 'Important', 'Moderate', 'Low']),
  product: name('short name of the product'),
  release: name('release of the product'),
  content_types: names('rpm, module, docker'),
  synopsis: text('one line of text'),
  embargoed: boolean('some field was redacted; nothing it says of the state may be trusted'),
  action: word(['add', 'remove', 'change'], 'of errata.builds'),
  builds: builds('the builds of the advisory'),
};

/** The fields of each kind of event, with a line of documentation. Source: RULES 4.2, messages contract 4. */
export const eventCatalogue: Catalogue = {
  'koji.tag': { doc: 'A build was put into a Koji tag.', fields: tagFields },
  'koji.untag': { doc: 'A build was taken out of a Koji tag.', fields: tagFields },
  'koji.build': {
    doc: 'A Koji build changed its state.',
    fields: {
      hub,
      nvr: name('name-version-release of the build'),
      package: name('the package (source name) of the build'),
      build_id: integer("the build's number in Koji"),
      state: word(buildStates),
      old_state: word(buildStates, 'the state before'),
      target: name('the build target'),
      scratch: boolean('whether it is a scratch build'),
      task_id: integer('the Koji task that made it'),
      owner: name('who built'),
      btypes: names('kinds of content: rpm, image, module, maven'),
    },
  },
  'koji.task': {
    doc: 'A Koji task changed its state.',
    fields: {
      hub,
      task_id: integer('the number of the task'),
      method: name('what the task does: build, buildArch, newRepo'),
      state: word(taskStates, 'the state now'),
      old_state: word(taskStates, 'the state before'),
      parent: integer('the number of the parent task'),
      scratch: boolean('whether it belongs to a scratch build'),
      owner: name('who started it'),
    },
  },
  'koji.repo': {
    doc: 'Koji began or finished to make a build repository.',
    fields: {
      hub,
      action: word(['init', 'done']),
      tag: name('the build tag'),
      tag_id: integer("the tag's number in Koji"),
      repo_id: integer('the number of the repository'),
    },
  },
  'koji.sign': {
    doc: 'An RPM of a build was signed.',
    fields: {
      hub,
      nvr: name('name-version-release of the build'),
      package: name('the package (source name) of the build'),
      build_id: integer("the build's number in Koji"),
      sigkey: name('the id of the key'),
      rpm: name('the RPM that was signed'),
    },
  },
  'koji.package_list': {
    doc: 'The package list of a Koji tag changed.',
    fields: {
      hub,
      tag: name('the tag'),
      package: name('the package'),
      action: word(['add', 'update', 'block', 'unblock', 'remove', 'set owner']),
      owner: name('who owns the package in the tag'),
    },
  },
  'mbs.module': {
    doc: 'A module build changed its state.',
    fields: {
      hub,
      id: integer("the module build's number"),
      name: name('name of the module'),
      stream: name('stream of the module'),
      version: name('version of the module'),
      context: name('context of the module'),
      nsvc: name('name:stream:version:context'),
      state: word(['init', 'wait', 'build', 'done', 'failed', 'ready', 'garbage']),
      scratch: boolean('whether it is a scratch build'),
      koji_tag: name('the Koji tag that holds its builds'),
      owner: name('who built'),
    },
  },
  'bodhi.update': {
    doc: 'A Bodhi update moved.',
    fields: {
      phase: word(['request', 'complete', 'ready', 'edit', 'eject']),
      alias: name('FEDORA-2026-0123456789'),
      transition: word(['testing', 'stable', 'unpush', 'revoke', 'obsolete'], 'where it goes'),
      type: word(['security', 'bugfix', 'enhancement', 'newpackage', 'unspecified']),
      severity: word(['urgent', 'high', 'medium', 'low', 'unspecified']),
      release: name('F44, EPEL-9'),
      dist_tag: name('f44'),
      status: word([
        'pending',
        'testing',
        'stable',
        'unpushed',
        'obsolete',
        'side_tag_active',
        'side_tag_expired',
      ]),
      builds: builds('the builds of the update'),
      cves: names('CVE numbers it names'),
      user: name('who submitted it'),
      from_side_tag: name('the side tag it came from'),
    },
  },
  'bodhi.override': {
    doc: 'A build root override came or went.',
    fields: {
      action: word(['tag', 'untag']),
      nvr: name('name-version-release of the build'),
      package: name('the package (source name) of the build'),
      user: name('who asked for it'),
    },
  },
  'errata.status': { doc: 'An advisory changed its status.', fields: errataFields },
  'errata.builds': { doc: 'Builds of an advisory changed.', fields: errataFields },
  'errata.signing': { doc: 'The signing state of an advisory changed.', fields: errataFields },
  'compose.state': {
    doc: 'A compose changed its state.',
    fields: {
      system: word(['odcs', 'pungi', 'bodhi'], 'who made it, odcs of our own'),
      id: name('the id of the compose'),
      state: word([...Object.keys(composeStates), ...pungiStates], 'those of Pungi are written in capitals'),
      outcome: name('composed, reused or unchanged, of our own composes'),
      series: name('the series it belongs to'),
      release: name('release of the compose'),
      source: text('the source it was made from'),
      source_type: word(sourceTypeNames),
      fingerprint: name('what it contains, as one hash'),
      chain: names('series this compose is a consequence of, root first'),
    },
  },
  gate: {
    doc: 'A gating system decided.',
    fields: {
      system: word(['greenwave', 'resultsdb', 'waiverdb']),
      subject_type: name('koji_build, bodhi_update, redhat-module, compose'),
      subject: name('what was judged'),
      context: name('decision context or test case'),
      satisfied: boolean('whether the policies are satisfied'),
      outcome: name('PASSED, FAILED, INFO, NEEDS_INSPECTION'),
    },
  },
  'repo.changed': {
    doc: 'An RPM repository changed.',
    fields: {
      repo: location('path or URL of the repository'),
      revision: name('revision of its repomd.xml'),
      packages: names('names of the packages that changed'),
      user: name('who changed it'),
    },
  },
};

/** Fields of the message itself, matchable whatever the kind. */
export const envelopeFields = {
  bus: word(['fedora-messaging', 'umb', 'webhook', 'internal'], 'where it came in'),
  topic: name('the topic without environment and bus prefixes'),
  producer: name('who sent it, where the broker vouches for it'),
  instance: name('whose Koji, MBS or Bodhi speaks: fedora, centos, brew'),
} as const satisfies Partial<Record<keyof EventEnvelope, EventField>>;

/** Fields of one element of `builds[]`. `evr` is compared in RPM order. */
export const buildFields = {
  nvr: name('name-version-release of the build'),
  package: name('the package (source name) of the build'),
  build_id: integer("the build's number in Koji"),
  owner: name('who built'),
  rpms: names(
    'its binary packages, of any arch, without debug ones; of pushed updates and of advisories, read from Koji',
  ),
} as const satisfies Described<EventBuild>;

const fieldsByKind = new Map<string, ReadonlyMap<string, EventField>>(
  Object.entries(eventCatalogue).map(([kind, { fields }]) => [
    kind,
    new Map<string, EventField>([...Object.entries(fields), ...Object.entries(envelopeFields)]),
  ]),
);

/** The matchable fields of a kind, those of the envelope included; empty for a kind that no rule file names. */
export function fieldsOfKind(kind: string): ReadonlyMap<string, EventField> {
  return fieldsByKind.get(kind) ?? new Map();
}

/** Whether rule files may name the kind under `event:`. */
export function isRuleEventKind(kind: string): kind is RuleEventKind {
  return fieldsByKind.has(kind);
}

/** All kinds that rule files may name, in the order of the catalogue. */
export const ruleEventKinds: readonly RuleEventKind[] = Object.keys(eventCatalogue).filter(isRuleEventKind);

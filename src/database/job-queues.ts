import type { QueuePolicy } from 'pg-boss';
import type { Priority } from '../model/compose.ts';

/** What each kind of job carries: ids only, the handler reads the row again. */
export interface JobData {
  /** A stored event is to be matched against the rules. */
  'event.match': { readonly eventId: number };
  /** An event is to be enriched with what the bus did not say. */
  'event.enrich': { readonly eventId: number };
  /** A settle window has closed and is to be decided. */
  'window.close': { readonly windowId: number };
  /** A rule's request is to be planned, and composed if anything changed. */
  'request.run': { readonly requestId: number };
  /** No attempt at a request lived long enough to end it. */
  'request.given-up': { readonly requestId: number };
  /** A compose that was asked for is to be planned and built. */
  'compose.run': { readonly composeId: number };
  /** No attempt at a compose lived long enough to end it. */
  'compose.given-up': { readonly composeId: number };
  /** Compose states are to be announced on the buses. */
  'announcements.publish': Record<string, never>;
  /** A decision of a rule is to be told; `word` where its outcome is not the news. */
  'rule.notify': { readonly decisionId: number; readonly word?: 'overdue' | 'image_changed' };
  /** A webhook is to be told. */
  'rule.webhook': { readonly url: string; readonly body: object };
  /** A webhook is to be told that somebody named who asked for a compose. */
  'series.webhook': { readonly url: string; readonly body: object };
  /** What a build says of its packages is to be read before a compose asks. Lost without harm. */
  'build.warm': { readonly nvr: string };
  /** The lock file or bills of materials of an image are to be read. */
  'image.read': { readonly name: string };
}
export type JobName = keyof JobData;

/** How a queue treats its jobs. Times are seconds. */
export interface QueueSettings {
  readonly retryLimit: number;
  readonly retryDelay: number;
  /** Pauses double up to so many seconds; a minute unless said. */
  readonly retryDelayMax?: number;
  readonly expireInSeconds: number;
  /** Without a sign of life for so long, the job of a worker counts as failed. */
  readonly heartbeatSeconds?: number;
  /** How many jobs of one key may wait and run; fixed when the queue is created. */
  readonly policy?: QueuePolicy;
  /** Where the data of a job goes whose last attempt failed. */
  readonly deadLetter?: JobName;
}

/** Failed jobs are tried again after pauses that double up to this many seconds. */
export const LONGEST_RETRY_DELAY = 60;

/** A worker that gave no sign of life for so many seconds has lost what it works on. */
export const LEASE_SECONDS = 15;

/** Pungi may take its time; the queue allows a day. */
const lease = { heartbeatSeconds: LEASE_SECONDS, expireInSeconds: 86_400 };

/**
 * The queues; a dead letter queue stands before those that name it. Leases are heartbeats: the job of a process that
 * died is taken over within `heartbeatSeconds` and the time until somebody looks, about 20 seconds; on the embedded
 * database as soon as it is opened again.
 */
export const queues: Readonly<Record<JobName, QueueSettings>> = {
  'event.match': { retryLimit: 20, retryDelay: 1, expireInSeconds: 120 },
  // What cannot be completed goes on as it came.
  'event.enrich': { retryLimit: 50, retryDelay: 5, expireInSeconds: 300, deadLetter: 'event.match' },
  'window.close': { retryLimit: 20, retryDelay: 1, expireInSeconds: 120 },
  'request.given-up': { retryLimit: 1_000, retryDelay: 1, expireInSeconds: 120 },
  'compose.given-up': { retryLimit: 1_000, retryDelay: 1, expireInSeconds: 120 },
  // At most one job of a request or compose waits, so that nobody takes away what another has just begun.
  'request.run': {
    retryLimit: 10,
    retryDelay: 1,
    ...lease,
    policy: 'short',
    deadLetter: 'request.given-up',
  },
  'compose.run': {
    retryLimit: 10,
    retryDelay: 1,
    ...lease,
    policy: 'short',
    deadLetter: 'compose.given-up',
  },
  // One announcer works, whatever their number.
  'announcements.publish': {
    retryLimit: 1_000,
    retryDelay: 1,
    retryDelayMax: 10,
    expireInSeconds: 600,
    heartbeatSeconds: LEASE_SECONDS,
    policy: 'exclusive',
  },
  'rule.notify': { retryLimit: 20, retryDelay: 1, expireInSeconds: 120 },
  'rule.webhook': { retryLimit: 100, retryDelay: 1, expireInSeconds: 120 },
  'series.webhook': { retryLimit: 100, retryDelay: 1, expireInSeconds: 120 },
  'build.warm': { retryLimit: 0, retryDelay: 1, expireInSeconds: 600 },
  // What could not be read is looked at again by the sweep.
  'image.read': { retryLimit: 0, retryDelay: 1, expireInSeconds: 3_600, policy: 'short' },
};

/** Queues of earlier versions, whose jobs are called otherwise now. */
export const formerQueues = ['request.plan', 'announce'] as const;

/** Finished jobs are kept this long, for those who look for the reason of a failure. */
export const FINISHED_KEPT_SECONDS = 3_600;

/** Priorities as the queue orders them: the greater first. */
export const priorityNumbers: Readonly<Record<Priority, number>> = { security: 30, normal: 10, bulk: 0 };

/** What waits long rises up to this: above what is normal, below what is urgent. */
export const HIGHEST_AGED = 20;

/** Returns every queue, those that others give their dead letters to first. */
export function listQueues(): readonly JobName[] {
  const names: JobName[] = [];
  for (const name in queues) if (isJobName(name)) names.push(name);
  return names;
}

function isJobName(name: string): name is JobName {
  return Object.hasOwn(queues, name);
}

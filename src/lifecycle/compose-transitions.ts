import type { ComposeState } from '../model/compose.ts';

/** One way a compose may go, and what goes with it. */
export interface ComposeTransition {
  readonly from: readonly ComposeState[];
  readonly to: ComposeState;
  /** Whether only the attempt that holds the compose may go it. */
  readonly isFenced: boolean;
  /**
   * What becomes of composes that wait to show its directory: they `stay`, or they `follow` to the same end; where
   * somebody cancelled it, which was not meant for them, they go on by themselves.
   */
  readonly sharers: 'stay' | 'follow';
  /** How the request of a rule ends that it answers; null where that goes on. */
  readonly request: 'composed' | 'failed' | null;
}

/**
 * Every way a compose may go. A change of state is announced, and becomes an event for the rules where the compose ended or is gone;
 * an end starts its life over (ODCS contract 11), ends its request and so wakes the next of the series.
 */
export const composeTransitions = {
  /** An attempt takes it; whoever held it before holds it no longer. */
  begin: { from: ['wait', 'generating'], to: 'generating', isFenced: false, sharers: 'stay', request: null },
  /** Its inputs are read and pinned; or it waits for another compose of the same content. */
  pin: { from: ['generating'], to: 'generating', isFenced: true, sharers: 'stay', request: null },
  /** The attempt failed in a way that may pass. */
  retry: { from: ['generating'], to: 'generating', isFenced: true, sharers: 'stay', request: null },
  /** It shows the directory of another compose. */
  reuse: { from: ['generating'], to: 'done', isFenced: true, sharers: 'follow', request: 'composed' },
  /** Its directory is shown. */
  publish: { from: ['generating'], to: 'done', isFenced: true, sharers: 'follow', request: 'composed' },
  fail: { from: ['generating'], to: 'failed', isFenced: true, sharers: 'follow', request: 'failed' },
  /** Nobody works on it: it waits, or only waits for another compose. */
  cancel: {
    from: ['wait', 'generating'],
    to: 'failed',
    isFenced: false,
    sharers: 'follow',
    request: 'failed',
  },
  /** Every attempt ended with its process. */
  giveUp: {
    from: ['wait', 'generating'],
    to: 'failed',
    isFenced: false,
    sharers: 'follow',
    request: 'failed',
  },
  /** The compose whose directory it waited for is done, or failed. */
  followDone: { from: ['generating'], to: 'done', isFenced: false, sharers: 'stay', request: 'composed' },
  followFailed: { from: ['generating'], to: 'failed', isFenced: false, sharers: 'stay', request: 'failed' },
  remove: { from: ['done', 'failed'], to: 'removed', isFenced: false, sharers: 'stay', request: null },
} as const satisfies Record<string, ComposeTransition>;

export type ComposeTransitionName = keyof typeof composeTransitions;

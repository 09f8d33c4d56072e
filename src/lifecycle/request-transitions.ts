import type { ComposeRequestsTable } from '../database/tables.ts';

export type RequestState = ComposeRequestsTable['state'];

/** One way the request of a rule may go, and what goes with it. */
export interface RequestTransition {
  readonly from: readonly RequestState[];
  readonly to: RequestState;
  /** Whether it ends: its decisions say how, those the rule names are told, the next of the series is woken. */
  readonly isEnd: boolean;
}

/** Every way a request may go; of a series one runs at a time. */
export const requestTransitions = {
  /** An attempt takes it; whoever held it before holds it no longer. */
  begin: { from: ['pending', 'running'], to: 'running', isEnd: false },
  /** A newer request of the series took it in before it began. */
  supersede: { from: ['pending'], to: 'superseded', isEnd: false },
  composed: { from: ['running'], to: 'composed', isEnd: true },
  unchanged: { from: ['running'], to: 'unchanged', isEnd: true },
  failed: { from: ['pending', 'running'], to: 'failed', isEnd: true },
} as const satisfies Record<string, RequestTransition>;

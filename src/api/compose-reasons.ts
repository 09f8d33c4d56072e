import { findComposeRequest } from '../database/compose-requests.ts';
import { findDecisions, type DecisionRow } from '../database/decisions.ts';
import { findInputEvents, type StoredEvent } from '../database/input-events.ts';
import { findPreviousOfSeries } from '../database/composes.ts';
import type { DatabaseHandle } from '../database/database-handle.ts';
import type { Compose } from '../model/compose-json.ts';
import { asker } from './asker.ts';

/** Why a compose was made. */
export interface ComposeReasons {
  readonly sentence: string;
  /** Null where a person or a service asked. */
  readonly rule: string | null;
  readonly minEvent: number | null;
  readonly chain: readonly string[];
  /** The newest events that led to it, oldest first. */
  readonly causes: readonly StoredEvent[];
  readonly decisions: readonly DecisionRow[];
  /** The done compose of its series before it. */
  readonly previous: number | null;
}

const MOST_CAUSES = 200;

/** Who or which rule asked for a compose, because of which events, and the compose before. */
export async function findComposeReasons(kysely: DatabaseHandle, compose: Compose): Promise<ComposeReasons> {
  const asked = compose.requestId === null ? undefined : await findComposeRequest(kysely, compose.requestId);
  const previous =
    compose.series === null ? null : await findPreviousOfSeries(kysely, compose.series, compose.id);
  const causes = asked === undefined ? [] : await findInputEvents(kysely, asked.causes.slice(-MOST_CAUSES));
  const decisions = await findDecisions(kysely, { compose: compose.id, limit: 100 });
  const count = asked?.causes.length ?? 0;
  return {
    sentence:
      asked === undefined
        ? `${asker(compose.owner)} asked for it${compose.requestId === null ? '' : '; why is no longer remembered'}.`
        : `Rule ${asked.rule} asked for it in series ${asked.series}, because of ${count} event${count === 1 ? '' : 's'}.`,
    rule: asked?.rule ?? null,
    minEvent: asked?.min_event ?? null,
    chain: asked?.chain ?? [],
    causes,
    decisions,
    previous,
  };
}

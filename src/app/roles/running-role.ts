import type { HealthPart } from '../../api/context.ts';

/** A role that works in this process. */
export interface RunningRole {
  /** How its parts are, one sentence each. */
  health(): readonly HealthPart[];
  /** Takes nothing more in, while what is asked of it is still answered; where absent, `stop` does that. */
  readonly drain?: () => Promise<void>;
  /** Takes nothing more and ends what runs. */
  stop(): Promise<void>;
}

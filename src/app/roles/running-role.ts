import type { HealthPart } from '../../api/context.ts';

/** A role that works in this process. */
export interface RunningRole {
  /** How its parts are, one sentence each. */
  health(): readonly HealthPart[];
  /**
   * How it takes nothing more in while jobs still run: something of its own, or `stop`, which may be called twice then.
   * Absent where it has to go on until the end.
   */
  readonly drain?: 'stop' | (() => Promise<void>);
  /** Takes nothing more and ends what runs. */
  stop(): Promise<void>;
}

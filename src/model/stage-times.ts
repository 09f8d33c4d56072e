/** One stage of the making of a compose. */
export interface StageTime {
  readonly stage: string;
  /** Milliseconds after the first of them began. */
  readonly from: number;
  /** The same; null while it goes on. */
  readonly to: number | null;
  readonly isFailed: boolean;
}

/** What the time of a compose went into, in the order in which it began. */
export interface StageTimes {
  /** When the first stage began, ISO 8601. */
  readonly begun: string;
  readonly stages: readonly StageTime[];
}

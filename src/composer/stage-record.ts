import type { Stage, StageNotes } from '../instrument.ts';
import type { StageTimes } from '../model/stage-times.ts';

interface NotedStage {
  readonly from: number;
  to: number;
  /** How many of its name go on; of several arches one may begin before another has ended. */
  running: number;
  isFailed: boolean;
}

/** Keeps when each stage of one attempt at a compose began and ended; stages of one name are one. */
export class StageRecord implements StageNotes {
  readonly #begun: Date;
  readonly #monotonic: () => number;
  readonly #start: number;
  readonly #stages = new Map<Stage, NotedStage>();
  #version = 0;

  /** `begun` is the database's time of now; `monotonic` are milliseconds of a clock that nobody sets. */
  constructor(begun: Date, monotonic: () => number = () => performance.now()) {
    this.#begun = begun;
    this.#monotonic = monotonic;
    this.#start = monotonic();
  }

  /** Another number whenever something was noted. */
  get version(): number {
    return this.#version;
  }

  begin(stage: Stage): (isFailed: boolean) => void {
    const from = this.#now();
    const noted = this.#stages.get(stage) ?? { from, to: from, running: 0, isFailed: false };
    this.#stages.set(stage, noted);
    noted.running += 1;
    this.#version += 1;
    return (isFailed) => {
      noted.to = this.#now();
      noted.running -= 1;
      noted.isFailed ||= isFailed;
      this.#version += 1;
    };
  }

  /** Returns what was noted, to be kept; null where no stage began. With `isEnd` what goes on ends now. */
  times({ isEnd }: { readonly isEnd: boolean }): StageTimes | null {
    if (this.#stages.size === 0) return null;
    const now = this.#now();
    const stages = [...this.#stages].map(([stage, { from, to, running, isFailed }]) => ({
      stage,
      from,
      to: running === 0 ? to : isEnd ? now : null,
      isFailed,
    }));
    return { begun: this.#begun.toISOString(), stages };
  }

  #now(): number {
    return Math.round(this.#monotonic() - this.#start);
  }
}

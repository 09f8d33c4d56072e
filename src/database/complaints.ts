/** How long a complaint counts. */
const KEPT_MS = 120_000;
/** How long the same complaint is not told again: a database that is away makes every worker complain every second. */
const SILENT_MS = 60_000;
const KEPT = 20;

interface Complaint {
  readonly at: number;
  readonly text: string;
}

/** What the connections and the queue of jobs complained about lately, kept for health; each is passed on once a minute. */
export class Complaints {
  readonly #tell: (complaint: string) => void;
  #noted: readonly Complaint[] = [];
  readonly #toldAt = new Map<string, number>();

  constructor(tell: (complaint: string) => void) {
    this.#tell = tell;
  }

  note(text: string): void {
    const now = performance.now();
    this.#noted = [...this.#noted.slice(1 - KEPT), { at: now, text }];
    // Which worker it was is of no interest: every one says the same.
    const kind = text.replace(/ \(Queue: .*\)$/, '');
    if (now - (this.#toldAt.get(kind) ?? -Infinity) < SILENT_MS) return;
    for (const [told, at] of this.#toldAt) if (now - at >= SILENT_MS) this.#toldAt.delete(told);
    this.#toldAt.set(kind, now);
    this.#tell(kind);
  }

  /** Returns those of the last two minutes, the newest last. */
  recent(): readonly string[] {
    const since = performance.now() - KEPT_MS;
    return this.#noted.filter(({ at }) => at >= since).map(({ text }) => text);
  }

  /** What they were about is over. */
  forget(): void {
    this.#noted = [];
    this.#toldAt.clear();
  }
}

import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import type { Harm } from './attack.ts';
import { bytesBelow, digestsBelow, listChanges } from './published-digests.ts';
import type { Sighting, Watched } from './watch-thread.ts';

/** How much memory and disk a service may take more than it had, in MiB. */
export const limits = { memory: 1_024, disk: 512 } as const;

/** One harm that was seen. */
export interface Finding {
  readonly harm: Harm;
  readonly attack: string;
  readonly detail: string;
}

/** What is looked at on disk; null for a service that somebody else started. */
export interface WatchedPlace {
  readonly directory: string;
  readonly victim: number;
}

/** Watches one service: whether it answers, what it takes, whether what it must not touch is as it was. */
export class Watch {
  readonly #place: WatchedPlace | null;
  readonly #worker: Worker;
  readonly #report: (harm: Harm, detail: string) => void;
  #published: ReadonlyMap<string, string>;
  #surroundings: ReadonlyMap<string, string>;
  #bytes: number;
  #abort = new AbortController();
  #firstMemory = 0;
  #mostMemory = 0;
  #isFrozen = false;

  constructor(watched: Watched, place: WatchedPlace | null, report: (harm: Harm, detail: string) => void) {
    this.#place = place;
    this.#report = report;
    this.#published = this.#digestPublished();
    this.#surroundings = this.#digestSurroundings();
    this.#bytes = place === null ? 0 : bytesBelow(place.directory);
    this.#worker = new Worker(join(import.meta.dirname, 'watch-thread.ts'), { workerData: watched });
    this.#worker.on('message', (sighting: Sighting) => this.#see(sighting));
    this.#worker.on('error', () => undefined);
  }

  /** Whether the service says nothing at present. */
  get isFrozen(): boolean {
    return this.#isFrozen;
  }

  /** Begins with the next attack; the signal ends when the service freezes. */
  begin(): AbortSignal {
    this.#abort = new AbortController();
    this.#firstMemory = 0;
    this.#mostMemory = 0;
    return this.#abort.signal;
  }

  /** Looks what the attack has left, and takes that for what the next one begins with. */
  check(): void {
    const grown = this.#mostMemory - this.#firstMemory;
    if (grown > limits.memory) this.#report('overLimit', `memory grew by ${grown.toFixed(0)} MiB`);
    if (this.#place === null) return;
    const bytes = bytesBelow(this.#place.directory);
    const more = (bytes - this.#bytes) / 2 ** 20;
    if (more > limits.disk) this.#report('overLimit', `${more.toFixed(0)} MiB more are on disk`);
    this.#bytes = bytes;
    const published = this.#digestPublished();
    const changed = listChanges(this.#published, published);
    if (changed.length > 0) {
      this.#report('escaped', `a published compose was changed: ${changed.slice(0, 3).join(', ')}`);
    }
    this.#published = published;
    const surroundings = this.#digestSurroundings();
    const around = listChanges(this.#surroundings, surroundings);
    if (around.length > 0)
      this.#report('escaped', `outside the target directory: ${around.slice(0, 3).join(', ')}`);
    this.#surroundings = surroundings;
  }

  async stop(): Promise<void> {
    await this.#worker.terminate();
  }

  #see(sighting: Sighting): void {
    switch (sighting.kind) {
      case 'frozen':
        this.#isFrozen = true;
        this.#report('frozen', sighting.detail);
        this.#abort.abort();
        return;
      case 'answers':
        this.#isFrozen = false;
        return;
      case 'memory':
        if (this.#firstMemory === 0) this.#firstMemory = sighting.megabytes;
        this.#mostMemory = Math.max(this.#mostMemory, sighting.megabytes);
        return;
      default:
        sighting satisfies never;
    }
  }

  #digestPublished(): Map<string, string> {
    if (this.#place === null) return new Map();
    return digestsBelow(join(this.#place.directory, 'srv/composes', `odcs-${this.#place.victim}`));
  }

  /** What lies beside the target directory, and beside the directory of the service. */
  #digestSurroundings(): Map<string, string> {
    if (this.#place === null) return new Map();
    const { directory } = this.#place;
    return new Map([
      ...readdirSync(directory).map((name): [string, string] => [name, 'there']),
      ...readdirSync(join(directory, 'srv')).map((name): [string, string] => [`srv/${name}`, 'there']),
      ...digestsBelow(join(directory, 'private')),
      ...digestsBelow(join(directory, 'good')),
    ]);
  }
}

import type { EventLog } from './event-log.ts';

/** Which change did something, and who made it. */
export interface Edit {
  readonly event: number;
  readonly user: string;
}

/** A row of a versioned table: it holds from one edit on until another. */
export interface VersionedRow<Content> {
  readonly content: Content;
  readonly created: Edit;
  readonly revoked: Edit | null;
}

/** A row as its table keeps it. */
interface StoredRow<Content> extends VersionedRow<Content> {
  revoked: Edit | null;
}

/** A table whose rows are never changed, only added and revoked. Readers see committed edits alone. */
export class VersionedTable<Content> {
  readonly #events: EventLog;
  readonly #rows: StoredRow<Content>[] = [];
  /** Those that no edit has revoked, so that a long history costs nothing where the present is asked for. */
  readonly #held = new Set<StoredRow<Content>>();

  constructor(events: EventLog) {
    this.#events = events;
  }

  add(content: Content, edit: Edit): void {
    const row: StoredRow<Content> = { content, created: edit, revoked: null };
    this.#rows.push(row);
    this.#held.add(row);
  }

  /** Revokes the rows that hold and match; returns how many. Edits that are not committed yet count. */
  revoke(matches: (content: Content) => boolean, edit: Edit): number {
    let count = 0;
    for (const row of this.#held) {
      if (!matches(row.content)) continue;
      row.revoked = edit;
      this.#held.delete(row);
      count += 1;
    }
    return count;
  }

  /** The content that holds and matches, for a writer: edits that are not committed yet count. */
  held(matches: (content: Content) => boolean): Content | undefined {
    for (const { content } of this.#held) if (matches(content)) return content;
    return undefined;
  }

  /** Takes back what an event did. */
  rollBack(event: number): void {
    const kept = this.#rows.filter((row) => row.created.event !== event);
    for (const row of kept) if (row.revoked?.event === event) row.revoked = null;
    this.#rows.length = 0;
    this.#held.clear();
    for (const row of kept) {
      this.#rows.push(row);
      if (row.revoked === null) this.#held.add(row);
    }
  }

  /** Every row whose creation is committed; the revocation only where it is. */
  history(): readonly VersionedRow<Content>[] {
    return this.#rows
      .filter((row) => this.#events.isVisible(row.created.event))
      .map((row) =>
        row.revoked !== null && !this.#events.isVisible(row.revoked.event) ? { ...row, revoked: null } : row,
      );
  }

  /** The rows that hold at an event, or now. */
  at(event: number | null): readonly VersionedRow<Content>[] {
    const limit = event ?? Infinity;
    return this.history().filter(
      ({ created, revoked }) => created.event <= limit && (revoked === null || revoked.event > limit),
    );
  }
}

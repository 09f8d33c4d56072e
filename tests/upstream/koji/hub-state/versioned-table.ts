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

  constructor(events: EventLog) {
    this.#events = events;
  }

  add(content: Content, edit: Edit): void {
    this.#rows.push({ content, created: edit, revoked: null });
  }

  /** Revokes the rows that hold and match; returns how many. Edits that are not committed yet count. */
  revoke(matches: (content: Content) => boolean, edit: Edit): number {
    const rows = this.#rows.filter((row) => row.revoked === null && matches(row.content));
    for (const row of rows) row.revoked = edit;
    return rows.length;
  }

  /** The content that holds and matches, for a writer: edits that are not committed yet count. */
  held(matches: (content: Content) => boolean): Content | undefined {
    return this.#rows.find((row) => row.revoked === null && matches(row.content))?.content;
  }

  /** Takes back what an event did. */
  rollBack(event: number): void {
    for (const row of this.#rows) if (row.revoked?.event === event) row.revoked = null;
    const kept = this.#rows.filter((row) => row.created.event !== event);
    this.#rows.splice(0, this.#rows.length, ...kept);
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

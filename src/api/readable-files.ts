import { LRUCache } from 'lru-cache';
import { realpath } from 'node:fs/promises';
import { relative, sep } from 'node:path';
import { currentReader, readAs, wholeReader } from '../database/readable.ts';
import type { DatabaseHandle } from '../database/database-handle.ts';
import { composeIdOfDirectory } from '../model/compose.ts';
import { mayRead } from '../model/readers.ts';

/** A compose that is open to everybody stays so: its files need not ask for each. */
const MOST_OPEN = 20_000;

/**
 * Says which published files the current reader may read: those of a compose that may not be read, and those below
 * `series/NAME` of such a series, are not there for them, nor are those of composes and series that are not known. What
 * is called otherwise is everybody's.
 */
export class ReadableFiles {
  readonly #kysely: DatabaseHandle;
  readonly #targetDir: string;
  readonly #open = new LRUCache<number, true>({ max: MOST_OPEN });

  constructor({ kysely, targetDir }: { readonly kysely: DatabaseHandle; readonly targetDir: string }) {
    this.#kysely = kysely;
    this.#targetDir = targetDir;
  }

  /** Returns how many composes it knows to be everybody's. */
  measure(): readonly [{ readonly name: string; readonly entries: number; readonly bytes: null }] {
    return [{ name: 'open composes', entries: this.#open.size, bytes: null }];
  }

  /** Returns whether a real path below the target directory, which was opened, may be read. */
  async mayRead(path: string): Promise<boolean> {
    const [first = '', second] = relative(await realpath(this.#targetDir), path).split(sep);
    if (first === 'series' && second !== undefined) return this.mayReadSeries(second);
    const id = composeIdOfDirectory(first);
    return id === null || (await this.#hiddenComposes([id])).size === 0;
  }

  /** Returns whether there is such a series that may be read. */
  async mayReadSeries(name: string): Promise<boolean> {
    return (await this.#hiddenSeries([name])).size === 0;
  }

  /** Returns those of these names in a directory, given by its own names, that may be shown. */
  async showable(directory: readonly string[], names: readonly string[]): Promise<readonly string[]> {
    if (directory.length === 0) {
      const hidden = await this.#hiddenComposes(names.flatMap((name) => composeIdOfDirectory(name) ?? []));
      return names.filter((name) => !hidden.has(composeIdOfDirectory(name) ?? -1));
    }
    if (directory.length > 1 || directory[0] !== 'series') return names;
    const hidden = await this.#hiddenSeries(names);
    return names.filter((name) => !hidden.has(name));
  }

  async #hiddenComposes(ids: readonly number[]): Promise<ReadonlySet<number>> {
    const reader = currentReader();
    const asked = ids.filter((id) => !this.#open.has(id));
    if (reader.readsAll || asked.length === 0) return new Set();
    const rows = await readAs(wholeReader, () =>
      this.#kysely
        .selectFrom('composes')
        .select(['id', 'owner', 'readers'])
        .where('id', 'in', asked)
        .execute(),
    );
    for (const { id, readers } of rows) if (readers === null) this.#open.set(id, true);
    // A directory whose compose is not known may be that of a private one that was lost.
    const shown = new Set(rows.filter((row) => mayRead(reader, row)).map(({ id }) => id));
    return new Set(asked.filter((id) => !shown.has(id)));
  }

  async #hiddenSeries(names: readonly string[]): Promise<ReadonlySet<string>> {
    const reader = currentReader();
    if (reader.readsAll || names.length === 0) return new Set();
    const rows = await readAs(wholeReader, () =>
      this.#kysely
        .selectFrom('series')
        .select(['name', 'owner', 'readers'])
        .where('name', 'in', [...names])
        .execute(),
    );
    const shown = new Set(rows.filter((row) => mayRead(reader, row)).map(({ name }) => name));
    return new Set(names.filter((name) => !shown.has(name)));
  }
}

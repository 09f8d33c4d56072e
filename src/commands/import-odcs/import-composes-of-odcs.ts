import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Database } from '../../database/database.ts';
import {
  continueComposeIds,
  importComposes,
  listStoredIdentities,
  type ImportedCompose,
} from '../../database/import-composes.ts';
import { transaction } from '../../database/transaction.ts';
import { ReactorError } from '../../model/errors.ts';
import { isLiving, readOdcsRow } from './odcs-row.ts';
import type { OdcsDatabase } from './read-odcs-database.ts';

const AT_ONCE = 5_000;
const NAMED_LIMIT = 20;

/** Where composes lie, here and at ODCS. */
export interface ImportPlaces {
  /** Name of a target directory here to its path. */
  readonly targetDirs: Readonly<Record<string, string>>;
  /** Path of a target directory at ODCS to the name of the same one here. */
  readonly names: ReadonlyMap<string, string>;
}

/** What was imported, or would be. */
export interface ImportReport {
  read: number;
  imported: number;
  /** Composes by their state here. */
  readonly states: Record<string, number>;
  lastId: number;
  nextId: number | null;
  /** Living composes whose directory is there, and some of those whose is not. */
  directories: number;
  withoutDirectory: number;
  readonly missing: number[];
  unreadable: number;
  readonly examples: { readonly id: string; readonly why: string }[];
  /** Paths of ODCS that no target directory here stands for. */
  readonly unknownPaths: Record<string, number>;
}

/** The name of a target directory that is not configured: its composes are shown without addresses. */
const UNKNOWN = 'unknown';

/**
 * Imports the composes of an ODCS under their ids, so that those of new composes go on after them. What is here already is
 * left; nothing is written where `isDry`. Throws `import.ids_taken` where an id is that of another compose here.
 */
export async function importComposesOfOdcs(
  { database, odcs }: { readonly database: Database; readonly odcs: OdcsDatabase },
  places: ImportPlaces,
  { isDry, tell }: { readonly isDry: boolean; readonly tell: (read: number) => void },
): Promise<ImportReport> {
  const report: ImportReport = {
    read: 0,
    imported: 0,
    states: {},
    lastId: 0,
    nextId: null,
    directories: 0,
    withoutDirectory: 0,
    missing: [],
    unreadable: 0,
    examples: [],
    unknownPaths: {},
  };
  const known = new Set<number>();
  let stored: Promise<number> = Promise.resolve(0);
  for await (const rows of odcs.readRows(AT_ONCE)) {
    const batch: ImportedCompose[] = [];
    for (const row of rows) {
      report.read += 1;
      const found = readOdcsRow(row);
      if (found.kind === 'unreadable') {
        report.unreadable += 1;
        if (report.examples.length < NAMED_LIMIT) report.examples.push({ id: found.id, why: found.why });
        continue;
      }
      const targetDir = nameOfPath(places, found.path);
      if (targetDir === UNKNOWN && found.path !== null) {
        report.unknownPaths[found.path] = (report.unknownPaths[found.path] ?? 0) + 1;
      }
      const { reusedId } = found.compose;
      // A reference to a compose that is not there leads nowhere.
      const shown = reusedId !== null && known.has(reusedId) ? reusedId : null;
      batch.push({ ...found.compose, targetDir, reusedId: shown });
      known.add(found.compose.id);
    }
    for (const compose of batch) noteDirectory(report, places, compose);
    // One batch is stored while the next one is read.
    report.imported += await stored;
    await checkTaken(database, batch);
    report.lastId = Math.max(report.lastId, batch.at(-1)?.id ?? 0);
    if (!isDry) {
      stored = transaction(database, (tx) => importComposes(tx.sql, batch));
      // Whether it went well is asked before the next one.
      stored.catch(() => undefined);
    }
    tell(report.read);
  }
  report.imported += await stored;
  if (!isDry) report.nextId = await continueComposeIds(database.kysely);
  return report;
}

/** A path at ODCS as it is called here; rows from before there were several have none. */
function nameOfPath({ names }: ImportPlaces, path: string | null): string {
  return path === null ? 'default' : (names.get(path.replace(/\/+$/, '')) ?? UNKNOWN);
}

function noteDirectory(
  report: ImportReport,
  { targetDirs }: ImportPlaces,
  { id, state, reusedId, targetDir }: ImportedCompose,
): void {
  report.states[state] = (report.states[state] ?? 0) + 1;
  const path = targetDirs[targetDir];
  if (!isLiving(state) || path === undefined) return;
  if (existsSync(join(path, `odcs-${reusedId ?? id}`))) report.directories += 1;
  else {
    report.withoutDirectory += 1;
    if (report.missing.length < NAMED_LIMIT) report.missing.push(id);
  }
}

async function checkTaken({ kysely }: Database, batch: readonly ImportedCompose[]): Promise<void> {
  const [first, last] = [batch[0], batch.at(-1)];
  if (first === undefined || last === undefined) return;
  const wanted = new Map(batch.map((compose) => [compose.id, compose]));
  const other = (await listStoredIdentities(kysely, first.id, last.id)).find(
    ({ id, owner, timeSubmitted }) => {
      const compose = wanted.get(id);
      return compose?.owner !== owner || compose.timeSubmitted.getTime() !== timeSubmitted.getTime();
    },
  );
  if (other === undefined) return;
  throw new ReactorError('import.ids_taken', `This service has a compose ${other.id} of its own.`, {
    hint: 'Import into the database of a service that has made no composes yet.',
  });
}

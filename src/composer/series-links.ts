import { randomBytes } from 'node:crypto';
import {
  existsSync,
  readFileSync,
  readdirSync,
  readlinkSync,
  renameSync,
  rmSync,
  symlinkSync,
} from 'node:fs';
import { inTurns, type Turns } from '../in-turns.ts';
import { findLastOfSeries } from '../database/composes.ts';
import { listShownSeries } from '../database/series.ts';
import { transaction, type UnitOfWork } from '../database/transaction.ts';
import { lockSeries } from '../lifecycle/series-lock.ts';
import type { Compose } from '../model/compose-json.ts';
import { composeDirectoryName } from '../model/compose.ts';
import { errorFields } from '../model/errors.ts';
import { isName } from '../model/names.ts';
import { targetDirUrlOf } from '../model/target-dir-urls.ts';
import { formatSeriesRepo, seriesUrl } from '../rpm/series-repo.ts';
import { readVariantRepositories } from './variant-repositories.ts';
import type { ComposerContext } from './composer-context.ts';
import { Pen, pathBelow } from './pen.ts';
import { METADATA_KEY_FILE } from './signing/sign-metadata.ts';

export type SeriesLinkContext = Pick<ComposerContext, 'targetDirs' | 'targetDirUrls'>;

/** The directory of all series below a target directory. */
const SERIES_DIRECTORY = 'series';

/**
 * Lets the series of a compose that has just ended, and of those that show its directory, show their newest done
 * compose: `series/NAME/latest` is replaced by one rename, so that who reads an opened file reads on. To be called last
 * in the transaction that ends it, which holds the series.
 */
export async function moveSeriesLinks(
  context: SeriesLinkContext,
  tx: UnitOfWork,
  composeId: number,
): Promise<void> {
  const rows = await tx.sql
    .selectFrom('composes')
    .select('series')
    .distinct()
    .where((where) => where.or([where('id', '=', composeId), where('reused_id', '=', composeId)]))
    .where('state', '=', 'done')
    .where('series', 'is not', null)
    .orderBy('series')
    .execute();
  for (const { series } of rows) {
    const latest = series === null ? undefined : await findLastOfSeries(tx.sql, series);
    if (series !== null && latest !== undefined) showLatest(context, series, latest);
  }
}

/** Points a series at a compose. Names from before there was a grammar get no address. */
function showLatest({ targetDirs, targetDirUrls }: SeriesLinkContext, series: string, latest: Compose): void {
  const targetDir = targetDirs[latest.targetDir];
  if (targetDir === undefined || !isName('series', series)) return;
  const pen = new Pen(targetDir);
  const directory = `${SERIES_DIRECTORY}/${series}`;
  pen.makeDirectory(directory);
  const aside = pen.path(`${directory}/.latest.${randomBytes(4).toString('hex')}`);
  symlinkSync(linkText(latest), aside);
  renameSync(aside, pen.path(`${directory}/latest`));
  const targetDirUrl = targetDirUrlOf(targetDirUrls, latest.targetDir);
  if (!targetDirUrl) return;
  const url = seriesUrl(targetDirUrl, series);
  // Not the settings decide: what was signed stays so, and what was not does not become it.
  const shown = composeDirectoryName(latest);
  const isSigned = existsSync(pen.path(`${shown}/${METADATA_KEY_FILE}`));
  const variants = readVariantRepositories(pen.path(`${shown}/compose`));
  const signed = isSigned ? { gpgkey: `${url}/latest/${METADATA_KEY_FILE}` } : {};
  for (const [name, isWithSources] of [
    ['latest.repo', false],
    ['latest-with-sources.repo', true],
  ] as const) {
    replaceFile(
      pen,
      `${directory}/${name}`,
      formatSeriesRepo(series, url, { isWithSources, variants, ...signed }),
    );
  }
}

function linkText(shown: Pick<Compose, 'id' | 'reusedId'>): string {
  return `../../${composeDirectoryName(shown)}`;
}

function replaceFile(pen: Pen, path: string, content: string): void {
  const at = pen.path(path);
  if (existsSync(at) && readFileSync(at, 'utf8') === content) return;
  const slash = path.lastIndexOf('/') + 1;
  const aside = `${path.slice(0, slash)}.${path.slice(slash)}.${randomBytes(4).toString('hex')}`;
  pen.writeFile(aside, content);
  renameSync(pen.path(aside), at);
}

/**
 * Sees to it that every series shows what it should: links that a crash left behind, that a removal made wrong, or of
 * composes from before series had addresses. A series without a done compose has no link.
 */
export async function mendSeriesLinks(
  context: SeriesLinkContext & Pick<ComposerContext, 'database' | 'log' | 'storage'>,
): Promise<void> {
  const shown = await listShownSeries(context.database.kysely);
  for (const [name, targetDir] of Object.entries(context.targetDirs)) {
    if (!(await context.storage.isOurs(name))) continue;
    const wanted = new Map(
      shown.flatMap((compose) =>
        compose.targetDir === name && isName('series', compose.series)
          ? [[compose.series, linkText(compose)]]
          : [],
      ),
    );
    for (const series of await inTurns(listWrongLinks(targetDir, wanted))) {
      try {
        await mendLink(context, { series, name, targetDir });
      } catch (error) {
        context.log.warn(
          { series, directory: targetDir, ...errorFields(error) },
          'a series could not be linked',
        );
      }
    }
  }
}

/** Lists the series whose link is not as wanted, those that have a directory and are to have none among them. */
function* listWrongLinks(targetDir: string, wanted: ReadonlyMap<string, string>): Turns<readonly string[]> {
  const wrong: string[] = [];
  for (const series of new Set([...wanted.keys(), ...listSeriesDirectories(targetDir)])) {
    if (readLink(targetDir, series) !== wanted.get(series)) wrong.push(series);
    yield;
  }
  return wrong;
}

/** Looks again while the series is held: it may have moved since. */
async function mendLink(
  context: Parameters<typeof mendSeriesLinks>[0],
  { series, name, targetDir }: { readonly series: string; readonly name: string; readonly targetDir: string },
): Promise<void> {
  await transaction(context.database, async (tx) => {
    await lockSeries(tx.sql, series);
    const latest = await findLastOfSeries(tx.sql, series);
    if (latest?.targetDir === name) showLatest(context, series, latest);
    else rmSync(pathBelow(targetDir, `${SERIES_DIRECTORY}/${series}`), { recursive: true, force: true });
  });
  context.log.info({ series, directory: targetDir }, 'the link of a series was mended');
}

/** Names of series that have a directory; nothing where this machine does not have the target directory. */
function listSeriesDirectories(targetDir: string): string[] {
  try {
    return readdirSync(pathBelow(targetDir, SERIES_DIRECTORY)).filter((name) => isName('series', name));
  } catch {
    return [];
  }
}

function readLink(targetDir: string, series: string): string | undefined {
  try {
    return readlinkSync(pathBelow(targetDir, `${SERIES_DIRECTORY}/${series}/latest`));
  } catch {
    return undefined;
  }
}

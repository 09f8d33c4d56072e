import { randomBytes } from 'node:crypto';
import { lstatSync, readdirSync, readlinkSync, renameSync, rmSync, symlinkSync } from 'node:fs';
import {
  hasReleaseLinks,
  listLinkedComposes,
  lockReleaseLinks,
  type LinkedCompose,
} from '../database/release-links.ts';
import { transaction, type UnitOfWork } from '../database/transaction.ts';
import type { Compose } from '../model/compose-json.ts';
import { composeDirectoryName } from '../model/compose.ts';
import { errorFields, ReactorError } from '../model/errors.ts';
import { knownComposeTypes } from '../rpm/productmd.ts';
import type { ComposerContext } from './composer-context.ts';
import { Pen, pathBelow } from './pen.ts';

type ReleaseLinkContext = Pick<ComposerContext, 'targetDirs'>;

/** What a link of this service leads to. */
const ownTarget = /^\.\.\/odcs-\d+$/;

/**
 * Returns the links of releases in a target directory, path to text, of its done composes in the order they were asked
 * for: one by the id of each compose, and those to the latest, where the last one counts. Source: ODCS contract 17.
 */
function releaseLinksOf(composes: readonly LinkedCompose[]): ReadonlyMap<string, string> {
  const links = new Map<string, string>();
  for (const compose of composes) {
    const { pungiComposeId, label, latestLink } = compose;
    const text = `../${composeDirectoryName(compose)}`;
    const directory = latestLink.slice(0, latestLink.indexOf('/'));
    if (pungiComposeId !== null) links.set(`${directory}/${pungiComposeId}`, text);
    links.set(latestLink, text);
    if (label !== null) links.set(`${latestLink}-${label}`, text);
  }
  return links;
}

/**
 * Lets the links of releases show a compose that has just ended, and those that show its directory, unless a later one
 * is done: each is replaced by one rename. To be called last in the transaction that ends it.
 */
export async function moveReleaseLinks(
  { targetDirs }: ReleaseLinkContext,
  tx: UnitOfWork,
  { id, targetDir }: Pick<Compose, 'id' | 'targetDir'>,
): Promise<void> {
  const directory = targetDirs[targetDir];
  if (directory === undefined || !(await hasReleaseLinks(tx.sql, id))) return;
  await lockReleaseLinks(tx.sql, targetDir);
  // Read while the lock is held: what another compose has linked meanwhile is done here.
  const composes = await listLinkedComposes(tx.sql, targetDir);
  setLinks(directory, releaseLinksOf(composes));
}

/**
 * Sees to it that the links of releases lead where they should: those that a crash left behind, or a compose that is
 * gone. Links that nothing stands for are removed.
 */
export async function mendReleaseLinks(
  context: ReleaseLinkContext & Pick<ComposerContext, 'database' | 'log' | 'storage'>,
): Promise<void> {
  const { database, log, storage } = context;
  for (const [name, directory] of Object.entries(context.targetDirs)) {
    if (!(await storage.isOurs(name))) continue;
    const composes = await listLinkedComposes(database.kysely, name);
    if (areEqual(releaseLinksOf(composes), readLinks(directory))) continue;
    try {
      await transaction(database, async (tx) => {
        await lockReleaseLinks(tx.sql, name);
        // Again, while nobody moves them.
        const wanted = releaseLinksOf(await listLinkedComposes(tx.sql, name));
        for (const path of readLinks(directory).keys()) {
          if (!wanted.has(path)) rmSync(pathBelow(directory, path), { force: true });
        }
        setLinks(directory, wanted);
      });
      log.info({ directory }, 'the links of releases were mended');
    } catch (error) {
      log.warn({ directory, ...errorFields(error) }, 'the links of releases could not be mended');
    }
  }
}

/** Throws `compose.link_taken` where something else than a link has the name. */
function setLinks(directory: string, wanted: ReadonlyMap<string, string>): void {
  const there = readLinks(directory);
  const pen = new Pen(directory);
  for (const [path, text] of wanted) {
    if (there.get(path) === text) continue;
    const parent = path.slice(0, path.indexOf('/'));
    pen.makeDirectory(parent);
    if (lstatSync(pen.path(path), { throwIfNoEntry: false })?.isSymbolicLink() === false) {
      throw new ReactorError('compose.link_taken', `${path} is in the way of a link to a compose.`, {
        where: directory,
        hint: 'It was put there by somebody else; move it away.',
      });
    }
    const aside = pen.path(`${parent}/.link.${randomBytes(4).toString('hex')}`);
    symlinkSync(text, aside);
    renameSync(aside, pen.path(path));
  }
}

/** The links of this service to composes of releases, path to text. */
function readLinks(directory: string): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  for (const parent of knownComposeTypes) {
    for (const name of listDirectory(`${directory}/${parent}`)) {
      const text = readLink(`${directory}/${parent}/${name}`);
      if (text !== null && ownTarget.test(text)) found.set(`${parent}/${name}`, text);
    }
  }
  return found;
}

function listDirectory(path: string): readonly string[] {
  try {
    return lstatSync(path).isDirectory() ? readdirSync(path) : [];
  } catch {
    return [];
  }
}

function readLink(path: string): string | null {
  try {
    return readlinkSync(path);
  } catch {
    return null;
  }
}

function areEqual(left: ReadonlyMap<string, string>, right: ReadonlyMap<string, string>): boolean {
  return left.size === right.size && [...left].every(([path, text]) => right.get(path) === text);
}

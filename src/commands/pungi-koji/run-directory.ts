import {
  appendFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmdirSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { z } from 'zod';
import { ReactorError } from '../../model/errors.ts';
import { identityOf, type MainIdentity } from '../../composer/main/main-identity.ts';
import { isComposeType } from '../../rpm/productmd.ts';
import type { MainDefinition } from '../../composer/main/main-definition.ts';
import type { PungiOptions } from './pungi-options.ts';

type Chosen = Omit<Parameters<typeof identityOf>[1], 'respin'>;

/** The directory of a compose while it is made, and how the compose is called. */
export interface RunDirectory {
  readonly path: string;
  readonly identity: MainIdentity;
  /** Whether somebody else has named the compose, and no COMPOSE_ID is written. */
  readonly isNamedBefore: boolean;
}

/** Throws `pungi.directory_missing`, worded as `pungi-koji` words it. */
export function checkPlace(place: PungiOptions['place']): void {
  const [what, path] =
    'targetDir' in place ? ['target', resolve(place.targetDir)] : ['compose', resolve(place.composeDir)];
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory() === true) return;
  throw new ReactorError(
    'pungi.directory_missing',
    `The ${what} directory does not exist or is not a directory: ${path}`,
    { hint: 'Make it first.' },
  );
}

/**
 * Makes the directory of a compose, named by its id with the first respin that is free, or takes the one that is given.
 * Throws `pungi.finished`, and what `identityOf` throws. Source: main compose contract 9.
 */
export function openRunDirectory(
  products: Pick<MainDefinition, 'release' | 'baseProduct'>,
  place: PungiOptions['place'],
  chosen: Chosen,
): RunDirectory {
  if ('composeDir' in place) return takeDirectory(products, resolve(place.composeDir), chosen);
  for (let respin = 0; ; respin += 1) {
    const identity = identityOf(products, { ...chosen, respin });
    const path = join(resolve(place.targetDir), identity.id);
    try {
      mkdirSync(path);
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'EEXIST') continue;
      throw error;
    }
    return begin({ path, identity, isNamedBefore: false });
  }
}

const baseSchema = z.object({
  payload: z.object({
    compose: z.object({
      date: z.string(),
      type: z.string().refine(isComposeType),
      respin: z.number(),
      label: z.string().nullish(),
    }),
  }),
});

function takeDirectory(
  products: Pick<MainDefinition, 'release' | 'baseProduct'>,
  path: string,
  chosen: Chosen,
): RunDirectory {
  const status = join(path, 'STATUS');
  if (existsSync(status) && readFileSync(status, 'utf8').trim() === 'FINISHED') {
    throw new ReactorError('pungi.finished', `The compose in ${path} is finished and cannot change.`, {
      hint: 'Take another directory.',
    });
  }
  const base = join(path, 'work/global/composeinfo-base.json');
  if (!existsSync(base)) {
    return begin({ path, identity: identityOf(products, { ...chosen, respin: 0 }), isNamedBefore: false });
  }
  const {
    date,
    type,
    respin,
    label = null,
  } = baseSchema.parse(JSON.parse(readFileSync(base, 'utf8'))).payload.compose;
  const identity = identityOf(products, { ...chosen, date, type, respin, label, mayLackLabel: true });
  return begin({ path, identity, isNamedBefore: true });
}

function begin(directory: RunDirectory): RunDirectory {
  const { path, identity, isNamedBefore } = directory;
  mkdirSync(join(path, 'logs/global'), { recursive: true });
  if (!isNamedBefore) writeFileSync(join(path, 'COMPOSE_ID'), identity.id);
  writeStatus(directory, 'STARTED');
  return directory;
}

/** Says how a compose is, for whoever watches its directory. */
export function writeStatus({ path }: RunDirectory, status: string): void {
  writeFileSync(join(path, 'STATUS'), `${status}\n`);
}

/** Adds a line to the log of a compose. */
export function addToLog({ path }: RunDirectory, line: string): void {
  appendFileSync(join(path, 'logs/global/pungi.global.log'), `${line}\n`);
}

/** Moves what was built into the directory of the compose; what is there already stays beside it. */
export function moveBuilt(built: string, { path, isNamedBefore }: RunDirectory): void {
  rmSync(join(built, 'STATUS'));
  if (isNamedBefore) rmSync(join(built, 'COMPOSE_ID'), { force: true });
  clearCompose(path);
  moveInto(built, path);
  rmSync(built, { recursive: true });
}

/** Removes a directory `compose` in which nothing is yet, so that what was built takes its place at once. */
function clearCompose(path: string): void {
  const compose = join(path, 'compose');
  if (existsSync(compose) && readdirSync(compose).length === 0) rmdirSync(compose);
}

function moveInto(from: string, to: string): void {
  for (const entry of readdirSync(from, { withFileTypes: true })) {
    const [source, target] = [join(from, entry.name), join(to, entry.name)];
    if (entry.isDirectory() && existsSync(target)) moveInto(source, target);
    else renameSync(source, target);
  }
}

/** Points the link to the latest compose, beside its directory, at it. Source: main compose contract 9. */
export function linkLatestOf({ path }: RunDirectory, name: string): void {
  const link = join(dirname(path), name);
  const aside = `${link}.${process.pid}`;
  rmSync(aside, { force: true });
  symlinkSync(basename(path), aside);
  renameSync(aside, link);
}

import { findManifest } from '../../database/manifests.ts';
import { composeDirectoryName } from '../../model/compose.ts';
import type { Compose } from '../../model/compose-json.ts';
import { formatNvra, parseNevra, type Nevra } from '../../model/nevra.ts';
import { targetDirUrlOf } from '../../model/target-dir-urls.ts';
import { openPublished } from '../published-file.ts';
import { atOnce, inTurns, rest, type Turns } from '../../in-turns.ts';
import type { ApiContext } from '../context.ts';
import type { PageContext } from './page.ts';

/** One package of a compose. */
export interface HeldPackage {
  readonly nevra: Nevra;
  readonly kind: string;
  /** `-` where it is not signed, `?` where that is not known. */
  readonly sigkey: string;
  /** One sentence; empty where it is not known. */
  readonly why: string;
}

/** What a compose holds, by arch. */
export type HeldPackages = ReadonlyMap<string, readonly HeldPackage[]>;

const MOST_BYTES = 64 * 1024 * 1024;

/** The packages of a compose from its manifest, with the reasons its directory tells; null where it has none. */
export async function readContents(context: PageContext, compose: Compose): Promise<HeldPackages | null> {
  const lines =
    compose.fingerprint === null
      ? undefined
      : await findManifest(context.database.kysely, compose.fingerprint);
  if (lines === undefined) return null;
  const text = await readComposeFile(context, compose, 'logs/global/why.json');
  await rest();
  const reasons = readReasons(text);
  return inTurns(listHeldPackages(lines, (arch, nevra) => reasons(arch, `${formatNvra(nevra)}.rpm`)));
}

/** Returns the packages that the lines of a manifest name, each with what `whyOf` says of it. */
export function heldPackagesOf(
  lines: readonly string[],
  whyOf: (arch: string, nevra: Nevra) => string,
): HeldPackages {
  return atOnce(listHeldPackages(lines, whyOf));
}

const LINES_A_PIECE = 250;

function* listHeldPackages(
  lines: readonly string[],
  whyOf: (arch: string, nevra: Nevra) => string,
): Turns<HeldPackages> {
  const held = new Map<string, HeldPackage[]>();
  for (const [index, line] of lines.entries()) {
    if (index % LINES_A_PIECE === 0) yield;
    const [word, arch = '', kind = '', name = '', , sigkey = '?'] = line.split('\t');
    if (word !== 'package') continue;
    const nevra = parseNevra(name);
    const list = held.get(arch) ?? [];
    held.set(arch, list);
    list.push({ nevra, kind, sigkey, why: whyOf(arch, nevra) });
  }
  return held;
}

function readReasons(text: string | null): (arch: string, file: string) => string {
  const reasons: unknown = parseJson(text ?? '{}');
  return (arch, file) => {
    const why = memberOf(memberOf(reasons, arch), file);
    return typeof why === 'string' ? why : '';
  };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return {};
  }
}

function memberOf(value: unknown, name: string): unknown {
  if (typeof value !== 'object' || value === null) return undefined;
  return Object.getOwnPropertyDescriptor(value, name)?.value;
}

/** Returns a text file of a published compose; null where there is none, or its target directory is not public. */
export async function readComposeFile(
  { config, targetDirUrls }: Pick<ApiContext, 'config' | 'targetDirUrls'>,
  compose: Compose,
  path: string,
): Promise<string | null> {
  const { state, targetDir: name } = compose;
  const targetDir = name === 'default' ? config.target_dir : config.extra_target_dirs[name];
  if (state !== 'done' || targetDir === undefined || !targetDirUrlOf(targetDirUrls, name)) return null;
  const found = await openPublished(targetDir, [composeDirectoryName(compose), ...path.split('/')]);
  if (found.kind !== 'file') return null;
  try {
    return found.size > MOST_BYTES ? null : await found.file.readFile('utf8');
  } finally {
    await found.file.close();
  }
}

/** The `dnf module` lines among the notes of a `.repo` file. */
export function moduleLines(repoFile: string): readonly string[] {
  return repoFile
    .split('\n')
    .flatMap((line) => /^# (dnf module (?:install|enable) \S+)$/.exec(line)?.[1] ?? []);
}

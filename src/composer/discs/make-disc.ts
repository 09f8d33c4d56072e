import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ReactorError } from '../../model/errors.ts';
import { diskFull } from '../build/place-packages.ts';
import { readLastLines } from '../programs/read-last-lines.ts';
import { runSupervised } from '../programs/run-supervised.ts';
import { readDiscMarks, type DiscMarks } from './read-disc-marks.ts';

/** A directory of its own where programs work, and what ends them. */
export interface DiscContext {
  readonly signal: AbortSignal;
  /** Absolute path; nothing else lies there. */
  readonly work: string;
  /** What `PATH` says. */
  readonly searched: string;
  /** Called with the hundredths of the image that are made. */
  readonly onPercent: (percent: number) => void;
}

export interface DiscInput {
  /** Absolute path of what it holds. */
  readonly tree: string;
  /** Files that stand for those of the tree, by their paths in it. */
  readonly files: Readonly<Record<string, string>>;
  readonly volumeId: string;
  /** Absolute path of the image. */
  readonly path: string;
}

/** An image that was made. */
export interface MadeDisc extends DiscMarks {
  readonly sha256: string;
}

const XORRISO =
  'xorriso -as mkisofs -iso-level 3 -r -J -joliet-long -input-charset utf-8 -output-charset utf-8'.split(' ');
const PATHS = ['-graft-points', '-path-list'];
/** A smaller image has parts that checkisomd5 does not check rightly. */
const PADDING = ['--', '-padding', '1m'];

/**
 * Makes an ISO 9660 image of a tree, with the checksum that `checkisomd5` looks for. Throws `iso.failed`,
 * `iso.program_missing`, `compose.disk_full`, and the reason of the signal within a second.
 */
export async function makeDisc(context: DiscContext, input: DiscInput): Promise<MadeDisc> {
  const { work } = context;
  const grafts = [`/=${escapeGraft(input.tree)}`];
  for (const [name, content] of Object.entries(input.files)) {
    const path = join(work, name);
    await writeFile(path, content);
    grafts.push(`${escapeGraft(`/${name}`)}=${escapeGraft(path)}`);
  }
  const list = join(work, 'paths');
  await writeFile(list, `${grafts.join('\n')}\n`);
  await run(context, [...XORRISO, '-volid', input.volumeId, '-o', input.path, ...PATHS, list, ...PADDING]);
  await run(context, ['implantisomd5', input.path]);
  const said = await run(context, ['sha256sum', '--binary', input.path]);
  const sha256 = /^\\?([0-9a-f]{64}) /.exec(said)?.[1];
  if (sha256 === undefined) throw new ReactorError('iso.failed', 'sha256sum told no checksum.');
  return { ...(await readDiscMarks(input.path)), sha256 };
}

/** Escapes what divides the two paths of a graft point. Source: xorrisofs(1), -graft-points. */
function escapeGraft(path: string): string {
  return path.replace(/[\\=]/g, '\\$&');
}

/** Half an image is worth nothing, and xorriso takes more than a second to end when it is asked to. */
const GRACE_SECONDS = 0;

/** Runs one of the programs; returns what it wrote to standard output. */
async function run(
  { signal, work, searched, onPercent }: DiscContext,
  words: readonly string[],
): Promise<string> {
  const [name = ''] = words;
  const stdout = join(work, `${name}-stdout`);
  const stderr = join(work, `${name}-stderr`);
  const running = await runSupervised({
    words,
    directory: work,
    environment: { PATH: searched, LANG: 'C.UTF-8' },
    run: work,
    stdout,
    stderr,
    signal,
    graceSeconds: GRACE_SECONDS,
    onLine(line) {
      const percent = /UPDATE :\s+(\d+)(?:\.\d+)?% done/.exec(line)?.[1];
      if (percent !== undefined) onPercent(Number(percent));
    },
  });
  let end;
  try {
    end = await running.end;
  } finally {
    // Nothing may write into a directory that is about to be removed.
    await running.gone;
  }
  if (end.kind === 'missing') {
    throw new ReactorError('iso.program_missing', `There is no program ${name} where composes are made.`, {
      hint: 'Install xorriso and isomd5sum there.',
      fate: 'halt',
    });
  }
  if (end.code === 0) return readLastLines(stdout);
  const said = `${await readLastLines(stderr)}\n${await readLastLines(stdout)}`.replaceAll(`${work}/`, '');
  if (/No space left on device|Disk quota exceeded/.test(said)) throw diskFull(new Error(said));
  throw new ReactorError('iso.failed', `${name} ended with ${end.code}: ${said.trim() || 'it said nothing'}`);
}

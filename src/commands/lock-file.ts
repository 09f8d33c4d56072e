import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { parse } from 'yaml';
import { z } from 'zod';
import { messageOf, ReactorError } from '../model/errors.ts';
import type { ServiceClient } from './service-client.ts';

/** What a lock file was made of, so that it can be made again. */
export interface LockOrigin {
  /** The id of a compose, or a series. */
  readonly of: string;
  /** The body of POST. */
  readonly body: Readonly<Record<string, unknown>>;
}

const originMark = '# odcs-reactor lock: ';
const originSchema = z.strictObject({ of: z.string().min(1), body: z.record(z.string(), z.json()) });

/** Asks the service for a lock file; its first line says what it was made of. Throws what asking throws. */
export async function makeLockFile(client: ServiceClient, origin: LockOrigin): Promise<string> {
  const kind = /^\d+$/.test(origin.of) ? 'composes' : 'series';
  const path = `/api/1/${kind}/${encodeURIComponent(origin.of)}/rpms.lock.yaml`;
  const text = await client.request('POST', path, origin.body);
  if (typeof text !== 'string' || !text.includes('lockfileVersion')) {
    throw new ReactorError('service.strange_answer', 'The service answered something that is no lock file.', {
      hint: 'Does --server name an ODCS Reactor?',
    });
  }
  return `${originMark}${JSON.stringify(origin)}\n${text}`;
}

/** Returns what a lock file was made of. Throws `lock.origin_unknown`. */
export function readLockOrigin(text: string, file: string): LockOrigin {
  const line = text.split('\n', 1)[0] ?? '';
  try {
    if (line.startsWith(originMark)) return originSchema.parse(JSON.parse(line.slice(originMark.length)));
  } catch {
    // The error below says so.
  }
  throw new ReactorError(
    'lock.origin_unknown',
    'The first line of the file does not say what it was made of.',
    {
      where: file,
      hint: 'Make it with: odcs-reactor compose lock SERIES --packages … --to FILE',
    },
  );
}

/** Replaces a file by one rename, so that nobody reads half of it. */
export function writeLockFile(file: string, text: string): void {
  const aside = `${file}.${process.pid}.new`;
  writeFileSync(aside, text);
  renameSync(aside, file);
}

/** Returns the text of a lock file. Throws `lock.file_unreadable`. */
export function readLockFile(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (cause) {
    throw new ReactorError('lock.file_unreadable', `The lock file cannot be read: ${messageOf(cause)}.`, {
      where: file,
      cause,
    });
  }
}

const entrySchema = z.object({ name: z.string(), evr: z.string(), checksum: z.string() });
const fileSchema = z.object({
  arches: z.array(
    z.object({ arch: z.string(), packages: z.array(entrySchema), source: z.array(entrySchema) }),
  ),
});

/** Returns what changed from one lock file to another: `- name evr (arch)` and `+ name evr (arch)`, sorted by name. */
export function diffLockFiles(before: string, after: string): string[] {
  const [old, fresh] = [readEntries(before), readEntries(after)];
  const lines = [
    ...[...old].flatMap(([key, label]) => (fresh.has(key) ? [] : [{ label, line: `- ${label}` }])),
    ...[...fresh].flatMap(([key, label]) => (old.has(key) ? [] : [{ label, line: `+ ${label}` }])),
  ];
  return lines.sort((left, right) => (left.label < right.label ? -1 : 1)).map(({ line }) => line);
}

function readEntries(text: string): ReadonlyMap<string, string> {
  const entries = new Map<string, string>();
  const read = fileSchema.safeParse(parse(text, { maxAliasCount: 0 }));
  if (!read.success) return entries;
  for (const { arch, packages, source } of read.data.arches) {
    const add = ({ name, evr, checksum }: z.infer<typeof entrySchema>, kind: string): void => {
      entries.set(`${arch} ${kind} ${name} ${evr} ${checksum}`, `${name} ${evr} (${arch}${kind})`);
    };
    for (const rpm of packages) add(rpm, '');
    for (const rpm of source) add(rpm, ' source');
  }
  return entries;
}

import { existsSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { parse } from 'yaml';
import { z } from 'zod';
import { messageOf, ReactorError } from '../model/errors.ts';
import type { ActionContext } from './command.ts';

/** A service that somebody works with often. */
export interface Profile {
  readonly server: string;
  readonly token: string | undefined;
}

const fileSchema = z.strictObject({
  default: z.string().optional(),
  profiles: z.record(
    z.string(),
    z.strictObject({
      server: z.string().regex(/^https?:\/\/\S+$/, 'an http or https URL'),
      token: z.string().min(1).optional(),
      token_file: z.string().min(1).optional(),
    }),
  ),
});

/** Returns where the profiles of a person are kept. */
function profilesFile(environment: ActionContext['environment']): string {
  const home = environment['HOME'] ?? homedir();
  return join(environment['XDG_CONFIG_HOME'] ?? join(home, '.config'), 'odcs-reactor', 'profiles.yaml');
}

/**
 * Returns the profile of a name, else the default one; null where none is named and there is no default. Throws
 * `profile.unknown`, `profile.unreadable`.
 */
export function readProfile(
  environment: ActionContext['environment'],
  name: string | undefined,
): Profile | null {
  const file = profilesFile(environment);
  if (!existsSync(file)) {
    if (name === undefined) return null;
    throw new ReactorError('profile.unknown', `There is no profile "${name}".`, {
      where: file,
      hint: 'Write the file: profiles: { NAME: { server: https://…, token_file: … } }',
    });
  }
  const known = readFile(file);
  const wanted = name ?? known.default;
  if (wanted === undefined) return null;
  const profile = Object.hasOwn(known.profiles, wanted) ? known.profiles[wanted] : undefined;
  if (profile === undefined) {
    throw new ReactorError('profile.unknown', `There is no profile "${wanted}".`, {
      where: file,
      hint: `There are: ${Object.keys(known.profiles).join(', ')}.`,
    });
  }
  const { server, token, token_file: tokenFile } = profile;
  return { server, token: tokenFile === undefined ? token : readToken(environment, file, tokenFile) };
}

/** Returns the names of the profiles. Throws `profile.unreadable`. */
export function listProfiles(environment: ActionContext['environment']): readonly string[] {
  const file = profilesFile(environment);
  return existsSync(file) ? Object.keys(readFile(file).profiles) : [];
}

function readFile(file: string): z.infer<typeof fileSchema> {
  try {
    const read = fileSchema.safeParse(parse(readFileSync(file, 'utf8'), { maxAliasCount: 0 }));
    if (read.success) return read.data;
    throw unreadable(file, z.prettifyError(read.error).replaceAll('\n', ' '));
  } catch (cause) {
    throw cause instanceof ReactorError ? cause : unreadable(file, messageOf(cause), cause);
  }
}

/** Paths are relative to the file of profiles. */
function readToken(environment: ActionContext['environment'], file: string, path: string): string {
  const home = environment['HOME'] ?? homedir();
  const place = path.startsWith('~/') ? join(home, path.slice(2)) : resolve(dirname(file), path);
  try {
    return readFileSync(place, 'utf8').trim();
  } catch (cause) {
    throw unreadable(place, messageOf(cause), cause);
  }
}

function unreadable(where: string, why: string, cause?: unknown): ReactorError {
  return new ReactorError('profile.unreadable', `The profiles cannot be read: ${why}.`, { where, cause });
}

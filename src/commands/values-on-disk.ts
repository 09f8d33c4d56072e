import { loadConfig } from '../config.ts';
import { ReactorError } from '../model/errors.ts';
import { readRules } from '../rules/reload.ts';
import type { ActionContext } from './command.ts';
import { listProfiles } from './profile.ts';

/**
 * Returns what an option or argument of this name may be by the files of this machine: `profile` by the file of profiles,
 * `rule` by the rules of the directory that is set. Empty for others, and where the files cannot be read: who only writes a
 * command is told of no mistake.
 */
export async function valuesOnDisk(
  environment: ActionContext['environment'],
  name: string,
): Promise<readonly string[]> {
  try {
    if (name === 'profile') return listProfiles(environment);
    if (name !== 'rule') return [];
    const { config } = loadConfig({ file: environment['ODCS_REACTOR_CONFIG'], environment, overrides: {} });
    const reading = config.rules_dir === '' ? null : await readRules(config.rules_dir);
    return reading?.ok === true ? reading.set.rules.map((rule) => rule.name) : [];
  } catch (error) {
    if (error instanceof ReactorError) return [];
    throw error;
  }
}

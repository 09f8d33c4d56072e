import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { loadConfig, type Config } from '../../src/config.ts';
import { makeDataDirectory } from '../database/embedded-snapshot.ts';

/**
 * Settings of a service that keeps everything below `directory`, on a database that is made already, with a Koji
 * profile, `koji` unless settings say otherwise, of these lines (`server`, `topdir`, `topurl` …).
 */
export async function kojiServiceConfig(
  directory: string,
  profile: Readonly<Record<string, string>>,
  more: Readonly<Record<string, unknown>> = {},
): Promise<Config> {
  const lines = Object.entries(profile).map(([key, value]) => `${key} = ${value}\n`);
  const file = join(directory, 'koji.conf');
  const { koji_profile: name = 'koji' } = more;
  writeFileSync(file, `[${String(name)}]\n${lines.join('')}`);
  const overrides = {
    data_dir: await makeDataDirectory(join(directory, 'data')),
    port: 0,
    koji_profile: name,
    koji_config: file,
    ...more,
  };
  return loadConfig({ file: undefined, environment: {}, overrides }).config;
}

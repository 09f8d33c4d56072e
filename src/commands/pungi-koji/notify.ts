import { spawn } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { isDictionary, itemsOf, type Config, type ConfigValue } from '../../composer/main/config-value.ts';
import { readProducts } from '../../composer/main/read-definition.ts';
import type { RunDirectory } from './run-directory.ts';

/** How long a script may take: nobody waits for one that hangs. */
const TIME_LIMIT = 10 * 60_000;

/** What scripts are told of. */
export interface Notice {
  /** `status-change` or `fail-to-start`. */
  readonly message: string;
  readonly data: Readonly<Record<string, unknown>>;
  /** Where they are run. */
  readonly directory: string;
}

/**
 * Runs each notification script, one after the other, with the message as its argument and the data as JSON on its standard
 * input. Returns those that failed; a script never ends the compose. Source: the interface of `--notification-script`.
 */
export async function notify(scripts: readonly string[], notice: Notice): Promise<readonly string[]> {
  const failed: string[] = [];
  for (const script of scripts) if (!(await isRun(script, notice))) failed.push(script);
  return failed;
}

function isRun(script: string, { message, data, directory }: Notice): Promise<boolean> {
  return new Promise((resolve) => {
    const child = spawn(script, [message], {
      cwd: directory,
      stdio: ['pipe', 'ignore', 'ignore'],
      timeout: TIME_LIMIT,
      killSignal: 'SIGKILL',
    });
    child.on('error', () => resolve(false));
    child.on('close', (code) => resolve(code === 0));
    // A script need not read what it is told.
    child.stdin.on('error', () => undefined);
    child.stdin.end(JSON.stringify(data));
  });
}

/** Returns the notice that a compose has another status; its directory `compose` is there from then on. */
export function statusNotice({ path, identity }: RunDirectory, config: Config, status: string): Notice {
  const directory = join(path, 'compose');
  mkdirSync(directory, { recursive: true });
  const { release } = readProducts(config);
  return {
    message: 'status-change',
    directory,
    data: {
      status,
      compose_id: identity.id,
      compose_date: identity.date,
      compose_type: identity.type,
      compose_respin: identity.respin,
      compose_label: identity.label,
      compose_path: path,
      release_short: release.short,
      release_version: release.version,
      location: translated(directory, config.get('translate_paths')),
    },
  };
}

/** Where people find a path, by the first pair of `translate_paths` that has it. */
function translated(path: string, pairs: ConfigValue | undefined): string {
  for (const pair of isDictionary(pairs) ? [] : (itemsOf(pairs) ?? [])) {
    const [from, to] = itemsOf(pair) ?? [];
    if (typeof from !== 'string' || typeof to !== 'string' || !path.startsWith(from)) continue;
    return to + path.slice(from.length);
  }
  return path;
}

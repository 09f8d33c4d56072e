import { existsSync, mkdirSync } from 'node:fs';
import { enableCompileCache } from 'node:module';
import { homedir } from 'node:os';
import { join } from 'node:path';

/**
 * Lets Node keep what it compiled, for the next start and for threads: both take half the time then. It is kept in the
 * cache directory of the user, where nobody else can put code; where there is none, nothing is kept. Who set
 * NODE_COMPILE_CACHE has chosen already.
 */
export function keepCompiledCode(environment: NodeJS.ProcessEnv): void {
  const directory = environment['NODE_COMPILE_CACHE'] ?? openDirectory(environment);
  if (directory === null) return;
  environment['NODE_COMPILE_CACHE'] = directory;
  enableCompileCache(directory);
}

/** Made one by one below what is there: Node would try for ever where a directory cannot be made at all. */
function openDirectory({ XDG_CACHE_HOME: chosen }: NodeJS.ProcessEnv): string | null {
  const isChosen = chosen !== undefined && chosen !== '';
  const names = [...(isChosen ? [] : ['.cache']), 'odcs-reactor', 'compiled'];
  try {
    let directory = isChosen ? chosen : homedir();
    for (const name of names) {
      directory = join(directory, name);
      if (!existsSync(directory)) mkdirSync(directory, { mode: 0o700 });
    }
    return directory;
  } catch {
    return null;
  }
}

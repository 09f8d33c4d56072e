import { readdir, readFile } from 'node:fs/promises';
import { setTimeout as pause } from 'node:timers/promises';

/** The variable that every process of a run carries, whatever group it is in. */
export const RUN_VARIABLE = 'ODCS_REACTOR_RUN';

const ROUNDS = 20;
const ROUND_MS = 50;

/** Kills a process group; nothing happens where it is gone. */
export function killGroup(group: number, signal: 'SIGTERM' | 'SIGKILL'): void {
  try {
    process.kill(-group, signal);
  } catch {
    // It has ended already.
  }
}

/**
 * Kills every process of this machine that carries a run in its environment, also those that left its group, and
 * waits until they are gone. Returns how many there were. Where `/proc` is not to be read, none is found.
 */
export async function endProcessesOfRun(run: string): Promise<number> {
  const killed = new Set<number>();
  for (let round = 0; round < ROUNDS; round += 1) {
    const found = await listProcessesOfRun(run);
    if (found.length === 0) break;
    for (const id of found) {
      killed.add(id);
      try {
        process.kill(id, 'SIGKILL');
      } catch {
        // It has ended already.
      }
    }
    await pause(ROUND_MS);
  }
  return killed.size;
}

async function listProcessesOfRun(run: string): Promise<number[]> {
  const wanted = `${RUN_VARIABLE}=${run}`;
  const entries = await readdir('/proc').catch((): string[] => []);
  const found = await Promise.all(
    entries
      .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
      .map(async (name) => {
        // Those of other people cannot be read; those that are about to be waited for have none any more.
        const environment = await readFile(`/proc/${name}/environ`, 'utf8').catch(() => '');
        return environment.split('\0').includes(wanted) ? [Number(name)] : [];
      }),
  );
  return found.flat();
}

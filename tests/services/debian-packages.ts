import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';

export type PackagesAnswer = { readonly ready: true } | { readonly ready: false; readonly reason: string };

function isInstalled(name: string): boolean {
  const answer = spawnSync('dpkg-query', ['-W', '-f', '${db:Status-Status}', name], { encoding: 'utf8' });
  return answer.status === 0 && answer.stdout === 'installed';
}

function isDebian(): boolean {
  return (
    existsSync('/etc/os-release') && /^ID(_LIKE)?=.*debian/m.test(readFileSync('/etc/os-release', 'utf8'))
  );
}

let listsAreFresh = false;

function install(names: readonly string[]): void {
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  if (!listsAreFresh) execFileSync('apt-get', ['update', '-q'], { env, stdio: 'ignore' });
  listsAreFresh = true;
  execFileSync('apt-get', ['install', '-q', '-y', '--no-install-recommends', ...names], {
    env,
    stdio: 'ignore',
  });
}

/**
 * Sees to it that Debian packages are installed: installs the missing ones when run by root on Debian.
 * Where that cannot be, says why on stderr and returns the reason, so that the caller skips its test;
 * with `CI` set it throws instead, for there a missing service is a failure.
 */
export function ensurePackages(names: readonly string[]): PackagesAnswer {
  const missing = names.filter((name) => !isInstalled(name));
  if (missing.length === 0) return { ready: true };
  let reason = `missing packages: ${missing.join(' ')} (only root on Debian can install them)`;
  if (isDebian() && process.getuid?.() === 0) {
    try {
      install(missing);
      return { ready: true };
    } catch (error) {
      reason = `cannot install ${missing.join(' ')}: ${error instanceof Error ? error.message : String(error)}`;
    }
  }
  if (process.env['CI'] !== undefined && process.env['CI'] !== '') throw new Error(reason);
  process.stderr.write(`SERVICE TESTS ARE NOT RUN: ${reason}\n`);
  return { ready: false, reason };
}

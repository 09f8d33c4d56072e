import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** A key of a test: gpg made it, in a home of its own. */
export interface TestKey {
  readonly home: string;
  readonly fingerprint: string;
  /** Path of the armored public key. */
  readonly publicKey: string;
  /** Runs gpg with its home. */
  readonly gpg: (args: readonly string[], input?: string) => string;
  /** Ends its agent. */
  readonly end: () => void;
}

export interface KeyWish {
  readonly passphrase?: string;
  /** `YYYYMMDDThhmmss` it was made at. */
  readonly madeAt?: string;
  /** As gpg takes it: `1d`, `0`. */
  readonly expires?: string;
}

/** Makes a key below a directory; `name` becomes its user id. */
export function makeTestKey(directory: string, name: string, wish: KeyWish = {}): TestKey {
  // Sockets of agents have short paths.
  const home = join(directory, name);
  mkdirSync(home, { recursive: true, mode: 0o700 });
  const gpg = (args: readonly string[], input = ''): string =>
    execFileSync('gpg', ['--homedir', home, '--batch', '--quiet', '--no-tty', ...args], {
      input,
      encoding: 'utf8',
      stdio: ['pipe', 'pipe', 'pipe'],
    });
  gpg([
    ...(wish.madeAt === undefined ? [] : [`--faked-system-time=${wish.madeAt}`]),
    '--pinentry-mode=loopback',
    `--passphrase=${wish.passphrase ?? ''}`,
    '--quick-gen-key',
    `${name} <${name}@example.com>`,
    'ed25519',
    'sign',
    wish.expires ?? '0',
  ]);
  const listing = gpg(['--with-colons', '--list-keys']);
  const fingerprint = /^fpr:+([0-9A-F]{40}):/m.exec(listing)?.[1] ?? '';
  const publicKey = join(home, 'public.asc');
  writeFileSync(publicKey, gpg(['--armor', '--export', fingerprint]));
  const end = (): void => void execFileSync('gpgconf', ['--homedir', home, '--kill', 'all']);
  // Tests of passphrases want an agent that knows none.
  end();
  return { home, fingerprint, publicKey, gpg, end };
}

/** Says what gpg thinks of a detached signature, with nothing but the given public keys. */
export function checkWithGpg(directory: string, publicKey: string, file: string): string {
  const home = join(directory, `check-${Math.random().toString(36).slice(2, 8)}`);
  mkdirSync(home, { mode: 0o700 });
  const gpg = (args: readonly string[], input: Buffer | string): string =>
    execFileSync('gpg', ['--homedir', home, '--batch', '--no-tty', '--status-fd', '1', ...args], {
      input,
      encoding: 'utf8',
      stdio: ['pipe', 'pipe', 'pipe'],
    });
  gpg(['--import'], readFileSync(publicKey));
  return gpg(['--verify', `${file}.asc`, file], '');
}

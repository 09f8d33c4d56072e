import { spawnSync } from 'node:child_process';
import { globSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { ensurePackages } from './services/debian-packages.ts';
import { startPostgresql } from './services/postgresql.ts';

/** Programs that tests hold this one against, from Debian: installed at once, as test files run side by side. */
const packages = [
  'activemq',
  'chromium',
  'createrepo-c',
  'default-jre-headless',
  'dnf',
  'faketime',
  'git',
  'gnupg',
  'gpgv',
  'isomd5sum',
  'libarchive-tools',
  'libmodulemd-tools',
  'libsolv-tools',
  'openssl',
  'postgresql',
  'python3',
  'python3-dnf',
  'python3-solv',
  'rabbitmq-server',
  'rpm',
  'slapd',
  'xorriso',
];

const root = resolve(import.meta.dirname, '..');
const wanted = process.argv.slice(2);

function listTests(): string[] {
  const all = globSync('tests/**/*.test.ts', { cwd: root }).sort();
  return wanted.length === 0 ? all : all.filter((file) => wanted.some((part) => file.includes(part)));
}

/** Tests of two processes on one database; the embedded one has one process. */
function isRace(file: string): boolean {
  return file.startsWith('tests/races/');
}

/** Tests that open a database, directly or through what opens it for them, and do not say that once is enough. */
function needsDatabase(file: string): boolean {
  const text = readFileSync(resolve(root, file), 'utf8');
  const opens = /open-test-database|open-test-api|\/engine\.ts|listening\.ts|open-test-composer/.test(text);
  return opens && !/^\/\/ Runs once: /m.test(text);
}

/** Every test file is a process, and many start a service: each would strip and compile the same sources again. */
const compiled = mkdtempSync(join(tmpdir(), 'compiled-'));

function run(title: string, files: readonly string[], environment: Record<string, string>): boolean {
  if (files.length === 0) return true;
  process.stdout.write(`\n=== ${title}: ${files.length} files\n`);
  const reporter = process.stdout.isTTY ? 'spec' : 'dot';
  const { status } = spawnSync(
    process.execPath,
    [
      '--test',
      `--test-reporter=${reporter}`,
      '--test-reporter-destination=stdout',
      '--test-reporter=./tests/summary-reporter.ts',
      '--test-reporter-destination=stdout',
      '--test-concurrency=2',
      '--test-timeout=600000',
      ...files,
    ],
    { cwd: root, stdio: 'inherit', env: { NODE_COMPILE_CACHE: compiled, ...process.env, ...environment } },
  );
  return status === 0;
}

const files = listTests();
if (files.length === 0) {
  process.stderr.write(`No test file matches ${wanted.join(' ')}.\n`);
  process.exit(1);
}
const answer = ensurePackages(packages);
if (!answer.ready) process.stderr.write(`Tests that need those programs are skipped: ${answer.reason}\n`);
let isGood = run(
  'embedded database',
  files.filter((file) => !isRace(file)),
  {},
);
const again = files.filter((file) => isRace(file) || needsDatabase(file));
if (answer.ready && again.length > 0) {
  const postgresql = await startPostgresql();
  try {
    isGood = run('PostgreSQL', again, { ODCS_TEST_DATABASE_URL: postgresql.url }) && isGood;
  } finally {
    await postgresql.stop();
  }
} else if (again.length > 0) {
  process.stderr.write('THE SUITE WAS NOT RUN ON POSTGRESQL.\n');
}
rmSync(compiled, { recursive: true, force: true });
process.exitCode = isGood ? 0 : 1;

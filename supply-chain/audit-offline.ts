import { join } from 'node:path';
import { matchAdvisories, readAdvisories } from './advisories.ts';
import { readLockFile } from './lock-file.ts';

const help = `usage: npm run audit:offline -- FILE

Holds package-lock.json against the advisories in FILE, without a network: an OSV record, a list of
them, one a line (.jsonl), a directory of them, or the answer of npm's bulk advisory endpoint.
Exit code: 0 nothing is known, 1 something is, 2 FILE cannot be read or understood.
docs/security.md says where to get such a file.
`;

function audit(file: string): number {
  const { packages } = readLockFile(join(import.meta.dirname, '..', 'package-lock.json'));
  const advisories = readAdvisories(file);
  const hits = matchAdvisories(advisories, packages);
  for (const { advisory, locked } of hits) {
    const use = locked.dev === true ? ' (development only)' : '';
    process.stdout.write(`${locked.name}@${locked.version}${use}: ${advisory.id} ${advisory.summary}\n`);
  }
  process.stdout.write(
    `${advisories.length} advisories, ${packages.length} packages, ${hits.length} matches\n`,
  );
  return hits.length === 0 ? 0 : 1;
}

const [file, ...rest] = process.argv.slice(2);
if (file === undefined || file === '--help' || rest.length > 0) {
  (file === '--help' ? process.stdout : process.stderr).write(help);
  process.exitCode = file === '--help' ? 0 : 2;
} else {
  try {
    process.exitCode = audit(file);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    const cause = error instanceof Error && error.cause instanceof Error ? `: ${error.cause.message}` : '';
    process.stderr.write(`${reason}${cause}\n`);
    process.exitCode = 2;
  }
}

import { parseArgs } from 'node:util';
import type { Command } from './command.ts';
import { diffLockFiles, makeLockFile, readLockFile, readLockOrigin, writeLockFile } from './lock-file.ts';
import { createServiceClient } from './service-client.ts';

const help = `Usage: odcs-reactor lock update FILE [options]

update  makes a lock file again that "compose lock" wrote, from what its series shows now. Where nothing
        changed the file is left alone. Prints what changed.

Options:
  --check        write nothing; exit code 1 where something would change
  --server URL   http://127.0.0.1:5005 by default (also ODCS_SERVER)
  --token TOKEN  sent as a bearer token (also ODCS_TOKEN)
`;

const options = {
  check: { type: 'boolean' },
  server: { type: 'string' },
  token: { type: 'string' },
} as const;

export const command: Command = {
  summary: 'Bring a lock file of a container build up to date',
  help,
  async run({ argv, environment, signal, stdout, stderr }) {
    const { values, positionals } = parseArgs({ args: [...argv], allowPositionals: true, options });
    const [action, file] = positionals;
    if (action !== 'update' || file === undefined) {
      stderr(help);
      return 2;
    }
    const server = values.server ?? environment['ODCS_SERVER'] ?? 'http://127.0.0.1:5005';
    const client = createServiceClient(server, values.token ?? environment['ODCS_TOKEN'], signal);
    const before = readLockFile(file);
    const after = await makeLockFile(client, readLockOrigin(before, file));
    if (after === before) {
      stdout(`${file}: nothing changed\n`);
      return 0;
    }
    for (const line of diffLockFiles(before, after)) stdout(`${line}\n`);
    if (values.check === true) return 1;
    writeLockFile(file, after);
    stdout(`${file}: written\n`);
    return 0;
  },
};

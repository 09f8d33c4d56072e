import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { readApiDocument } from './api-document.ts';
import { formatPythonClient } from './format-python-client.ts';

/**
 * Writes typed clients of a running service into a directory: `odcs-reactor.d.ts`, for openapi-fetch, and
 * `odcs_reactor.py`, for Python 3.11.
 */
const [server, directory] = process.argv.slice(2);
if (server === undefined || directory === undefined) {
  process.stderr.write('npm run clients -- URL DIRECTORY\n');
  process.exit(2);
}
const answer = await fetch(`${server.replace(/\/$/, '')}/api/1/openapi.json`);
if (!answer.ok) throw new Error(`${server} answers ${answer.status}.`);
const text = await answer.text();
mkdirSync(directory, { recursive: true });
writeFileSync(join(directory, 'openapi.json'), text);
writeFileSync(join(directory, 'odcs_reactor.py'), formatPythonClient(readApiDocument(text)));
// It needs the older compiler that lies beside it, and so a process of its own.
const generator = join(import.meta.dirname, 'node_modules/openapi-typescript/bin/cli.js');
const target = join(directory, 'odcs-reactor.d.ts');
execFileSync(process.execPath, [generator, join(directory, 'openapi.json'), '--output', target], {
  stdio: ['ignore', 'ignore', 'inherit'],
});

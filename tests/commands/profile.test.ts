import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { command } from '../../src/commands/compose.ts';
import { runCommand } from './run-command.ts';

const home = mkdtempSync(join(tmpdir(), 'odcs-home-'));
const asked: (string | undefined)[] = [];
const server = createServer((request, response) => {
  asked.push(request.headers.authorization);
  response.setHeader('content-type', 'application/json').end('{"items": []}');
});
await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
const { port } = server.address() as AddressInfo;
const url = `http://127.0.0.1:${port}`;
after(() => {
  server.close();
  rmSync(home, { recursive: true, force: true });
});

const folder = join(home, '.config/odcs-reactor');
mkdirSync(folder, { recursive: true });
const file = join(folder, 'profiles.yaml');
writeFileSync(join(folder, 'secret'), 'odcs_1_abc\n');
const text = `default: here
profiles:
  here: { server: "${url}", token_file: secret }
  inline: { server: "${url}", token: odcs_2_def }
  away: { server: "http://127.0.0.1:1" }
`;
writeFileSync(file, text);

async function tokenSent(argv: readonly string[], more: Record<string, string> = {}) {
  asked.length = 0;
  const run = await runCommand(command, ['list', ...argv], { HOME: home, ...more });
  assert.equal(run.code, 0);
  assert.equal(asked.length, 1);
  return asked[0];
}

test('the default profile says which service is asked, and with which token', async () => {
  assert.equal(await tokenSent([]), 'Bearer odcs_1_abc');
});

test('a profile is named by --profile or ODCS_PROFILE', async () => {
  assert.equal(await tokenSent(['--profile', 'inline']), 'Bearer odcs_2_def');
  assert.equal(await tokenSent([], { ODCS_PROFILE: 'inline' }), 'Bearer odcs_2_def');
  assert.equal(await tokenSent(['--profile', 'here'], { ODCS_PROFILE: 'away' }), 'Bearer odcs_1_abc');
});

test('the token of a profile is sent to no server that was named otherwise', async () => {
  assert.equal(await tokenSent(['--server', url]), undefined);
  assert.equal(await tokenSent([], { ODCS_SERVER: url }), undefined);
  assert.equal(await tokenSent(['--server', url, '--token', 'x']), 'Bearer x');
});

for (const [title, content, argv, code] of [
  ['a profile that is not there', text, ['--profile', 'nobody'], 'profile.unknown'],
  ['a default that is not there', text.replace('default: here', 'default: nobody'), [], 'profile.unknown'],
  ['a file that is no YAML', 'a: [', [], 'profile.unreadable'],
  ['a word that nobody knows', 'profiles: { a: { servr: "http://x" } }', [], 'profile.unreadable'],
  ['a server that is no URL', 'profiles: { a: { server: "x" } }', [], 'profile.unreadable'],
  ['a token that cannot be read', text.replace('secret', 'none'), [], 'profile.unreadable'],
] as const) {
  test(`${title} is told with the file`, async (context) => {
    context.after(() => writeFileSync(file, text));
    writeFileSync(file, content);
    await assert.rejects(runCommand(command, ['list', ...argv], { HOME: home }), { code });
  });
}

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { serve } from '@hono/node-server';
import { createApp } from '../../src/api/app.ts';
import { changeCompose, givenCompose } from '../api/compose-rows.ts';
import { openTestApi } from '../api/open-test-api.ts';
import { ensurePackages } from './debian-packages.ts';

const chromium = ensurePackages(['chromium']);
const flags = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--virtual-time-budget=4000',
];

test(
  'a browser applies the style, follows a compose and shows that it has ended',
  { skip: chromium.ready ? false : chromium.reason },
  async () => {
    await using api = await openTestApi();
    const id = await givenCompose(api, { state: 'generating' });
    const app = createApp(api.context);
    let followers = 0;
    const server = serve({
      hostname: '127.0.0.1',
      port: 0,
      fetch: async (request, bindings) => {
        const isStream = new URL(request.url).pathname === `/api/1/composes/${id}/events`;
        const answer = await app.fetch(request, { incoming: bindings.incoming });
        // Ends only once somebody follows it: what the page shows then, the script has brought about.
        if (isStream && (followers += 1) === 1) await changeCompose(api, id, { state: 'done' });
        return answer;
      },
    });
    await new Promise<void>((resolve) => {
      if (server.listening) resolve();
      else server.once('listening', resolve);
    });
    const { port }: Partial<AddressInfo> = Object(server.address());
    const profile = mkdtempSync(join(tmpdir(), 'odcs-chromium-'));
    try {
      const { stdout, stderr } = await promisify(execFile)(
        'chromium',
        [
          ...flags,
          `--user-data-dir=${profile}`,
          '--enable-logging=stderr',
          '--dump-dom',
          `http://127.0.0.1:${port}/console/composes/${id}`,
        ],
        { timeout: 60_000 },
      );
      assert.equal(followers, 1);
      assert.match(stdout, /<span class="badge good">done<\/span>/);
      assert.doesNotMatch(stderr, /Content Security Policy/);
    } finally {
      await new Promise((resolve) => server.close(resolve));
      rmSync(profile, { recursive: true, force: true });
    }
  },
);

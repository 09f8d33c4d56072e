import assert from 'node:assert/strict';
import { cpSync, mkdtempSync, readFileSync, readlinkSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { z } from 'zod';
import { command as imageCommand } from '../../src/commands/image.ts';
import { command as composeCommand } from '../../src/commands/compose.ts';
import { command as lockCommand } from '../../src/commands/lock.ts';
import type { Command } from '../../src/commands/command.ts';
import { checkWithGpg, makeTestKey, type TestKey } from '../composer/signing/test-keys.ts';
import { until } from '../listeners/listening.ts';
import { makeDnfHost } from '../services/dnf-host.ts';
import { sharedPath } from '../shared.ts';
import { startFakeBodhi, type BodhiItem } from '../upstream/fake-bodhi.ts';
import { startFileServer } from '../upstream/koji/file-server.ts';
import { startHubServer } from '../upstream/koji/hub-server.ts';
import { StateHub } from '../upstream/koji/state-hub.ts';
import { openScene, readSample, sceneOptions, shippedRule, withTrail, type Scene } from './scene.ts';

const buses = ['rabbitmq'] as const;
const options = sceneOptions(buses);
const RULE = 'container-security-updates';
const SERIES = 'container-updates-F44';
const TAG = 'f44-images';

interface Opened {
  readonly scene: Scene;
  readonly key: TestKey;
  readonly folder: string;
  /** What Bodhi knows; more may be added. */
  readonly updates: BodhiItem[];
}
let opened: Opened | null = null;

if (options.skip === undefined) {
  const folder = mkdtempSync('/tmp/odcs-update-');
  const topDir = join(folder, 'top');
  cpSync(sharedPath('pungi', 'koji-topdir'), topDir, { recursive: true });
  const koji = new StateHub();
  koji.addTag(TAG);
  for (const nvr of ['e-dup-1-1', 'e-zz-1-1']) koji.tag(TAG, nvr);
  for (const nvr of ['e-zz-1-1', 'e-dup-2-1']) koji.importSigned(nvr, 'aabbccdd');
  const hub = await startHubServer(koji.answer);
  const files = await startFileServer(topDir);
  const key = makeTestKey(folder, 'key');
  const updates: BodhiItem[] = [];
  const bodhi = await startFakeBodhi({ after: (end: () => void) => after(end) }, updates);
  const scene = await openScene({
    buses,
    koji: { server: hub.url, topurl: files.url },
    rules: {
      [RULE]: shippedRule(RULE, [
        ['settle: 2m\nmax_wait: 10m\nreconcile: 15m', 'settle: 200ms'],
        ['source: f44\n', `source: ${TAG}\n`],
        ['[openssl-libs, libcurl, glibc]', '[e-dup, e-zz]'],
      ]),
    },
    settings: {
      target_dir: join(folder, 'composes'),
      bodhi_url: bodhi.url,
      updateinfo: 'bodhi',
      sigkeys: [''],
      metadata_keys: {
        main: { fingerprint: key.fingerprint, public_key: key.publicKey, gpg_home: key.home },
      },
      metadata_key: 'main',
    },
  });
  opened = { scene, key, folder, updates };
  after(async () => {
    await scene.stop();
    await files.close();
    await hub.close();
    key.end();
    rmSync(folder, { recursive: true, force: true });
  });
}

const sample = readSample(
  'fedora-messaging/bodhi.update.complete.stable-freshmaker-bodhi_update_stable.json',
);

/** Lets Bodhi know a security update of a build, and publishes the recorded message with this build in it. */
async function push({ scene, updates }: Opened, alias: string, nvr: string, cve: string): Promise<void> {
  const recorded: Record<string, unknown> = z.record(z.string(), z.unknown()).parse(sample.body['update']);
  const release = { ...z.record(z.string(), z.unknown()).parse(recorded['release']), name: 'F44' };
  const update = {
    ...recorded,
    alias,
    updateid: alias,
    title: nvr,
    builds: [{ epoch: 0, nvr, signed: true }],
    bugs: [{ bug_id: 1, security: true, title: `${cve} ${nvr}: flaw` }],
    status: 'stable',
    date_pushed: '2026-11-20 10:00:00',
    release,
  };
  updates.push(update);
  await scene.publish({ ...sample, body: { ...sample.body, update } });
}

async function run(scene: Scene, command: Command, argv: readonly string[]) {
  let out = '';
  const code = await command.run({
    argv,
    stdout: (text) => (out += text),
    stderr: (text) => (out += text),
    environment: { ODCS_SERVER: scene.reactor.url },
    isTerminal: false,
    signal: new AbortController().signal,
  });
  return { code, out };
}

const announcementSchema = z.object({
  compose: z.object({ id: z.number(), state_name: z.string() }),
  new_advisories: z
    .object({
      since: z.number(),
      advisories: z.array(z.string()),
      cves: z.array(z.string()),
      more: z.boolean(),
    })
    .optional(),
  changed_images: z.object({ images: z.array(z.string()), more: z.boolean() }).optional(),
});

async function announcedDone(scene: Scene, id: number | null): Promise<z.infer<typeof announcementSchema>> {
  return until(
    () =>
      scene.announcements.amqp
        .filter(({ fields }) => fields.routingKey.endsWith('.odcs.compose.state-changed'))
        .map(({ content }) => announcementSchema.parse(JSON.parse(content.toString())))
        .find(({ compose }) => compose.id === id && compose.state_name === 'done'),
    `the announcement that compose ${id} is done`,
  );
}

test(
  'a security update becomes a signed compose, the series moves, and dnf and lock files show just the update',
  options,
  async (context) => {
    const all = opened ?? assert.fail('no scene');
    const { scene, key, folder } = all;
    await withTrail(context, scene, async () => {
      await push(all, 'FEDORA-2026-aaaaaaaaaa', 'e-zz-1-1', 'CVE-2026-10001');
      const first = await scene.decided(RULE, 1);
      assert.equal(first.outcome, 'composed', first.why);
      assert.equal((await announcedDone(scene, first.compose_id)).new_advisories, undefined);
      const base = `${scene.reactor.url}/composes/series/${SERIES}`;
      const repoFile = await (await fetch(`${base}/latest.repo`)).text();
      assert.match(repoFile, /^repo_gpgcheck=1$/m);
      const host = makeDnfHost(join(folder, 'host'), { releasever: '44' });
      host.useRepoFile(repoFile);
      const installed = await host.run(['install', 'e-dup', 'e-zz']);
      assert.equal(installed.status, 0, installed.output);
      const lockFile = join(folder, 'rpms.lock.yaml');
      const locked = await run(scene, composeCommand, ['lock', SERIES, '--to', lockFile]);
      assert.equal(locked.code, 0, locked.out);
      // Three images are built from it: one holds both packages, one only what is not to change, one asks for the other.
      const told = await run(scene, imageCommand, ['set', 'both', '--series', SERIES, '--lock', lockFile]);
      assert.equal(told.code, 0, told.out);
      writeFileSync(join(folder, 'installed.txt'), 'e-zz-1-1.x86_64\n');
      const installedIn = ['--installed', join(folder, 'installed.txt'), '--arch', 'x86_64'];
      const other = await run(scene, imageCommand, ['set', 'one', '--series', SERIES, ...installedIn]);
      assert.equal(other.code, 0, other.out);
      const asking = await run(scene, imageCommand, ['set', 'asking', '--series', SERIES, '--asks', 'e-dup']);
      assert.equal(asking.out, `asking of ${SERIES}: asks for e-dup; x86_64: 1 packages\n`);

      await push(all, 'FEDORA-2026-bbbbbbbbbb', 'e-dup-2-1', 'CVE-2026-10002');
      const second = await scene.decided(RULE, 2);
      assert.equal(second.outcome, 'composed', second.why);

      // The announcement and the compose say what is new.
      const news = {
        since: first.compose_id,
        advisories: ['FEDORA-2026-bbbbbbbbbb'],
        cves: ['CVE-2026-10002'],
        more: false,
      };
      const announced = await announcedDone(scene, second.compose_id);
      assert.deepEqual(announced.new_advisories, news);
      assert.deepEqual(announced.changed_images, { images: ['asking', 'both'], more: false });
      const changedImages = await run(scene, imageCommand, ['changed', String(second.compose_id)]);
      assert.equal(
        changedImages.out,
        ['asking', 'both']
          .map((name) => `${name}\n  e-dup  0:1-1 -> 0:2-1  x86_64  (FEDORA-2026-bbbbbbbbbb)\n`)
          .join('') + '2 of 3 images would change.\n',
      );
      assert.equal(changedImages.code, 1);
      const page = await fetch(`${scene.reactor.url}/console/composes/${second.compose_id}`);
      assert.match(
        await page.text(),
        /Images that change[^]*<a href="[^"]*\/api\/1\/images\/both">both<\/a>/,
      );
      const shown = z
        .object({ new_advisories: z.unknown() })
        .parse(await scene.get(`/api/1/composes/${second.compose_id}`));
      assert.deepEqual(shown.new_advisories, news);

      // The series has moved, under the same .repo file, and dnf takes its signed metadata.
      const { latest } = z.object({ latest: z.number() }).parse(await scene.get(`/api/1/series/${SERIES}`));
      assert.equal(latest, second.compose_id);
      const link = readlinkSync(join(folder, 'composes/series', SERIES, 'latest'));
      assert.equal(link.split('/').at(-1), `odcs-${second.compose_id}`);
      assert.equal(await (await fetch(`${base}/latest.repo`)).text(), repoFile);
      const listed = await host.run(['--refresh', 'updateinfo', 'list', '--security']);
      assert.equal(listed.status, 0, listed.output);
      assert.match(listed.output, /^FEDORA-2026-bbbbbbbbbb\s+\S+\/Sec\.\s+e-dup-2-1\.x86_64$/m);
      assert.doesNotMatch(listed.output, /FEDORA-2026-aaaaaaaaaa/);
      const byCve = await host.run(['updateinfo', 'list', '--cve=CVE-2026-10002']);
      assert.match(byCve.output, /e-dup-2-1\.x86_64/);
      const upgraded = await host.run(['upgrade', '--security']);
      assert.equal(upgraded.status, 0, upgraded.output);
      assert.match(upgraded.output, /Upgraded:\s+e-dup-2-1\.x86_64\s+Complete!/);

      // The lock file differs in just the package that was updated.
      const before = readFileSync(lockFile, 'utf8');
      const updated = await run(scene, lockCommand, ['update', lockFile]);
      assert.deepEqual(
        updated.out.split('\n').filter((line) => /^[-+] /.test(line)),
        [
          '- e-dup 1-1 (x86_64 source)',
          '- e-dup 1-1 (x86_64)',
          '+ e-dup 2-1 (x86_64 source)',
          '+ e-dup 2-1 (x86_64)',
        ].sort((left, right) => left.slice(2).localeCompare(right.slice(2))),
      );
      const lines = new Set(before.split('\n'));
      const changed = readFileSync(lockFile, 'utf8')
        .split('\n')
        .filter((line) => !lines.has(line));
      assert.ok(
        changed.length > 0 && changed.every((line) => /e-dup|size|checksum|evr/.test(line)),
        changed.join('\n'),
      );

      // gpg takes the signature of what the series shows, and all of it is of one piece.
      for (const name of ['repomd.xml', 'repomd.xml.asc']) {
        const answer = await fetch(`${base}/latest/compose/Temporary/x86_64/os/repodata/${name}`);
        writeFileSync(join(folder, name), Buffer.from(await answer.arrayBuffer()));
      }
      assert.match(
        checkWithGpg(folder, key.publicKey, join(folder, 'repomd.xml')),
        new RegExp(`VALIDSIG ${key.fingerprint}`),
      );
      const verified = await run(scene, composeCommand, ['verify', `${base}/latest`, '--key', key.publicKey]);
      assert.equal(verified.code, 0, verified.out);
    });
  },
);

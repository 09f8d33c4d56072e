import assert from 'node:assert/strict';
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { z } from 'zod';
import { until } from '../listeners/listening.ts';
import { makeDnfHost } from '../services/dnf-host.ts';
import { sharedPath } from '../shared.ts';
import { startHubServer } from '../upstream/koji/hub-server.ts';
import { StateHub } from '../upstream/koji/state-hub.ts';
import {
  openScene,
  readSample,
  sceneOptions,
  shippedRule,
  withTrail,
  type Scene,
  type SceneCompose,
} from './scene.ts';

const buses = ['rabbitmq'] as const;
const options = sceneOptions(buses);
const sample = readSample('fedora-messaging/buildsys.tag-koji-build-tag.json');

const definition = `version: 1
name: main
release: { name: Product, short: Product, version: "44" }
arches: [x86_64]
inputs: { composes: [baseos, appstream] }
variants:
  BaseOS: { from: [baseos], packages: ["*"] }
  AppStream: { from: [appstream], packages: ["*"], lookaside: [BaseOS] }
repoclosure: "off"
`;

/** The shipped rule that follows a tag, for the series of one part. */
function followingRule(series: string, tag: string): string {
  return shippedRule('tag-following', [
    ['name: tag-following', `name: ${series}`],
    ["  - schedule: '0 5 * * *'\n", ''],
    ['settle: 10m\nmax_wait: 2h\nreconcile: 30m\nmin_interval: 4h', 'settle: 200ms'],
    ['series: f44', `series: ${series}`],
    ['f44', tag],
    ['[x86_64, aarch64]', '[x86_64]'],
  ]);
}

interface Opened {
  readonly scene: Scene;
  readonly koji: StateHub;
  readonly composes: string;
  readonly folder: string;
}
let opened: Opened | null = null;

if (options.skip === undefined) {
  const folder = mkdtempSync(join(tmpdir(), 'odcs-main-'));
  const topDir = join(folder, 'top');
  const composes = join(folder, 'composes');
  cpSync(sharedPath('pungi', 'koji-topdir'), topDir, { recursive: true });
  mkdirSync(join(folder, 'definitions'));
  writeFileSync(join(folder, 'definitions', 'main.yaml'), definition);
  const koji = new StateHub();
  for (const tag of ['f44-base', 'f44-app']) koji.addTag(tag);
  const hub = await startHubServer(koji.answer);
  const scene = await openScene({
    buses,
    koji: { server: hub.url, topdir: topDir },
    rules: {
      baseos: followingRule('baseos', 'f44-base'),
      appstream: followingRule('appstream', 'f44-app'),
      'main-from-parts': shippedRule('main-from-parts', [['settle: 15m\nmax_wait: 3h', 'settle: 200ms']]),
    },
    settings: { sigkeys: [''], target_dir: composes, definitions_dir: join(folder, 'definitions') },
  });
  opened = { scene, koji, composes, folder };
  after(async () => {
    await scene.stop();
    await hub.close();
    rmSync(folder, { recursive: true, force: true });
  });
}

/** Tags a build, and publishes the recorded message with this build and tag in it. */
async function tagBuild({ scene, koji }: Opened, tag: string, nvr: string): Promise<void> {
  koji.tag(tag, nvr);
  const [, name, version, release] = /^(.*)-([^-]*)-([^-]*)$/.exec(nvr) ?? [];
  await scene.publish({ ...sample, body: { ...sample.body, name, version, release, tag } });
}

/** Waits until the main compose is one of these composes, which it returns. */
async function mainOf(
  { scene }: Opened,
  parts: { readonly baseos: number; readonly appstream: number },
): Promise<SceneCompose> {
  const source = `main baseos=${parts.baseos} appstream=${parts.appstream}`;
  return until(
    async () =>
      (await scene.composes()).find((compose) => compose.source === source && compose.state_name === 'done'),
    `the main compose "${source}"`,
  );
}

/** Waits until the series shows another compose than one; returns its number. */
async function newestOf({ scene }: Opened, series: string, exceptId = 0): Promise<number> {
  const schema = z.object({ latest: z.number().nullish() });
  return until(async () => {
    const { latest } = schema.parse(await scene.get(`/api/1/series/${series}`));
    return latest !== null && latest !== undefined && latest !== exceptId ? latest : false;
  }, `a compose of ${series}`);
}

/** Names of the metadata files of a tree, which carry their digests, and the inodes of its packages. */
function contentOf({ composes }: Opened, id: number, variant: string) {
  const tree = join(composes, `odcs-${id}/compose/${variant}/x86_64/os`);
  const metadata = readdirSync(join(tree, 'repodata')).filter((name) => name !== 'repomd.xml');
  const packages = readdirSync(join(tree, 'Packages'), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.rpm'))
    .sort();
  const inodes = packages.map((name) => statSync(join(tree, 'Packages', name)).ino);
  return { metadata: metadata.sort(), packages, inodes };
}

test(
  'two tag messages make two parts and a main compose of both, one more build makes anew only its part and variant',
  options,
  async (context) => {
    const all = opened ?? assert.fail('no scene');
    const { scene, folder } = all;
    await withTrail(context, scene, async () => {
      await tagBuild(all, 'f44-base', 'e-lib-1-1');
      await tagBuild(all, 'f44-app', 'e-needs-lib-1-1');
      const [baseos, appstream] = await Promise.all([newestOf(all, 'baseos'), newestOf(all, 'appstream')]);
      const first = await mainOf(all, { baseos, appstream });
      const firstBase = contentOf(all, first.id, 'BaseOS');
      const firstApp = contentOf(all, first.id, 'AppStream');
      assert.ok(firstBase.packages.includes('e-lib-1-1.x86_64.rpm'), firstBase.packages.join());
      assert.deepEqual(firstApp.packages, ['e-needs-lib-1-1.x86_64.rpm']);

      // dnf resolves across variants, and installs.
      const base = `${scene.reactor.url}/composes/series/main`;
      const repoFile = await (await fetch(`${base}/latest.repo`)).text();
      const host = makeDnfHost(join(folder, 'host'), { releasever: '44' });
      host.useRepoFile(repoFile);
      const installed = await host.run(['install', 'e-needs-lib']);
      assert.equal(installed.status, 0, installed.output);
      assert.match(installed.output, /e-needs-lib +x86_64 +1-1 +\S*AppStream/);
      assert.match(installed.output, /e-lib +x86_64 +1-1 +\S*BaseOS/);

      // The chain is visible, from the event to the main compose.
      const why = z
        .object({ rule: z.string(), chain: z.array(z.string()) })
        .parse(await scene.get(`/api/1/composes/${first.id}/why`));
      assert.equal(why.rule, 'main-from-parts');
      assert.match(why.chain.join(), /baseos|appstream/);

      await tagBuild(all, 'f44-app', 'e-zz-1-1');
      const newApp = await newestOf(all, 'appstream', appstream);
      const second = await mainOf(all, { baseos, appstream: newApp });
      assert.deepEqual(contentOf(all, second.id, 'BaseOS'), firstBase);
      const secondApp = contentOf(all, second.id, 'AppStream');
      assert.deepEqual(secondApp.packages, ['e-needs-lib-1-1.x86_64.rpm', 'e-zz-1-1.x86_64.rpm']);
      assert.notDeepEqual(secondApp.metadata, firstApp.metadata);
      assert.equal(await newestOf(all, 'baseos'), baseos, 'the other part was not made again');
      const made = (await scene.composes()).filter(({ source }) => !source.startsWith('main'));
      assert.equal(made.length, 3);

      // The series has moved, and dnf finds the new package there.
      assert.equal(await (await fetch(`${base}/latest.repo`)).text(), repoFile);
      const more = await host.run(['--refresh', 'install', 'e-zz']);
      assert.equal(more.status, 0, more.output);
      const { payload } = JSON.parse(
        readFileSync(join(all.composes, `odcs-${second.id}/compose/metadata/composeinfo.json`), 'utf8'),
      );
      assert.deepEqual(Object.keys(payload.variants).sort(), ['AppStream', 'BaseOS']);
    });
  },
);

import assert from 'node:assert/strict';
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test, type TestContext } from 'node:test';
import { until } from '../listeners/listening.ts';
import { sharedPath } from '../shared.ts';
import { startFileServer, type FileServer } from '../upstream/koji/file-server.ts';
import { startHubServer } from '../upstream/koji/hub-server.ts';
import { StateHub } from '../upstream/koji/state-hub.ts';
import { openScene, readSample, sceneOptions, shippedRule, withTrail, type Scene } from './scene.ts';

const buses = ['rabbitmq'] as const;
const options = sceneOptions(buses);
const koji = new StateHub();
const base = ['e-glob-1-1-1', 'e-needs-cap-1-1', 'e-zz-1-1', 'e-prov-aa-1-1'];
for (const tag of ['f44', 'f44-watched', 'f44-watched-old', 'f44-signed']) {
  koji.addTag(tag);
  for (const nvr of base) koji.tag(tag, nvr);
}
koji.addTag('f40-build-side-12345');

/** tag-following for another tag, composing a part of it. */
const followed = (name: string, tag: string, source: string): string =>
  shippedRule('tag-following', [
    ['name: tag-following', `name: ${name}`],
    ['settle: 10m\nmax_wait: 2h\nreconcile: 30m\nmin_interval: 4h', 'settle: 500ms'],
    ['feeds: f44', `feeds: ${tag}`],
    ['series: f44', `series: ${tag}`],
    ['source: f44\n', source],
    ['arches: [x86_64, aarch64]', 'arches: [x86_64]'],
  ]);
/** A part rule of the product: a whole tag. */
const part = (series: string): string => {
  koji.addTag(`f44-${series}`);
  return followed(series, `f44-${series}`, `source: f44-${series}\n`).replace(
    /^series: .*$/m,
    `series: ${series}`,
  );
};

let open: { readonly scene: Scene; readonly files: FileServer; readonly topDir: string } | null = null;

if (options.skip === undefined) {
  const folder = mkdtempSync(join(tmpdir(), 'fedora-rules-'));
  const topDir = join(folder, 'top');
  cpSync(sharedPath('pungi', 'koji-topdir'), topDir, { recursive: true });
  const hub = await startHubServer(koji.answer);
  const files = await startFileServer(topDir);
  const scene = await openScene({
    buses,
    koji: { server: hub.url, topurl: files.url },
    rules: {
      'tag-following': followed('tag-following', 'f44', 'source: f44\n'),
      watched: followed('watched', 'f44-watched', 'source: f44-watched\n    packages: [e-zz, e-tie-b]\n'),
      'watched-old': followed(
        'watched-old',
        'f44-watched-old',
        'source: f44-watched-old\n    packages: [e-zz, e-tie-b]\n  flags: [no_deps]\n',
      ),
      signed: `version: 1
name: signed
owner: rel-eng
description: Compose what entered a tag once it is signed.
on:
  - event: koji.tag
    match: { tag: f44-signed }
  - event: koji.sign
    match: { sigkey: aabbccdd }
settle: 200ms
require:
  - koji.builds_signed: { builds: '\${events.nvr}', keys: [aabbccdd] }
series: signed
compose:
  source: { type: tag, source: f44-signed, packages: [e-tie-b], sigkeys: [aabbccdd] }
`,
      'container-security-updates': shippedRule('container-security-updates', [
        ['settle: 2m\nmax_wait: 10m', 'settle: 200ms'],
        ['source: f44\n', 'source: f44-watched\n'],
        ['[openssl-libs, libcurl, glibc]', '[e-lib]'],
      ]),
      'side-tag-ready': shippedRule('side-tag-ready', [
        ['f45-build-side-*', 'f40-build-side-*'],
        ['[python3.15, python-setuptools, python-pip]', '[e-tie-a, e-tie-b]'],
        ['settle: 5m\nmax_wait: 1h', 'settle: 200ms'],
      ]),
      baseos: part('baseos'),
      appstream: part('appstream'),
      crb: part('crb'),
      'product-from-parts': shippedRule('product-from-parts', [
        ['settle: 15m\nmax_wait: 3h', 'settle: 200ms'],
      ]),
    },
  });
  open = { scene, files, topDir };
  after(async () => {
    await scene.stop();
    await files.close();
    await hub.close();
    rmSync(folder, { recursive: true, force: true });
  });
}

function opened(): NonNullable<typeof open> {
  return open ?? assert.fail('no scene');
}

const samples = {
  tag: readSample('fedora-messaging/buildsys.tag-koji-build-tagged.json'),
  untag: readSample('fedora-messaging/buildsys.untag-untag-message.json'),
};

/** Tags or untags a build at the hub and publishes the recorded message with this tag and build in it. */
async function change(kind: 'tag' | 'untag', tag: string, name: string, messageId?: string): Promise<number> {
  const event = koji[kind](tag, `${name}-1-1`);
  await tell(kind, tag, name, messageId);
  return event;
}

async function tell(kind: 'tag' | 'untag', tag: string, name: string, messageId?: string): Promise<void> {
  const sample = samples[kind];
  const body = { ...sample.body, tag, name, version: '1', release: '1' };
  await opened().scene.publish({ ...sample, body }, messageId);
}

/** A scenario: the decision trail is printed whatever comes of it. */
function scenario(title: string, work: (scene: Scene, context: TestContext) => Promise<void>): void {
  test(title, options, (context) => withTrail(context, opened().scene, () => work(opened().scene, context)));
}

scenario(
  'a compose follows its tag: a build that enters is in it, one that leaves is not',
  async (scene, context) => {
    const first = await change('tag', 'f44', 'e-tie-b');
    const entered = await scene.decided('tag-following', 1);
    assert.equal(entered.outcome, 'composed', entered.why);
    assert.equal((await scene.compose(entered.compose_id)).koji_event, first);
    assert.ok((await scene.repoquery(context, entered.compose_id)).includes('e-tie-b-1-1.x86_64'));
    await change('untag', 'f44', 'e-tie-b');
    const left = await scene.decided('tag-following', 2);
    assert.equal(left.outcome, 'composed', left.why);
    const packages = await scene.repoquery(context, left.compose_id);
    assert.ok(packages.includes('e-zz-1-1.x86_64') && !packages.includes('e-tie-b-1-1.x86_64'));
  },
);

for (const [rule, tag, isTold, other] of [
  ['watched', 'f44-watched', true, 'e-self'],
  ['watched-old', 'f44-watched-old', false, 'e-enh'],
] as const) {
  const which = isTold ? 'a hub that tells the last change of a tag' : 'an old hub';
  scenario(
    `one event twice, an untag and re-tag, an unrelated build: one compose, with ${which}`,
    async (scene) => {
      koji.tellsLastChange = isTold;
      const id = `the-message-of-${tag}`;
      await change('tag', tag, 'e-tie-b', id);
      const made = await scene.decided(rule, 1);
      assert.equal(made.outcome, 'composed', made.why);

      await tell('tag', tag, 'e-tie-b', id);
      await tell('tag', tag, 'e-tie-b');
      const twice = await scene.decided(rule, 2);
      assert.match(JSON.stringify(twice.trail), /"causes":1,/, 'the message under the known id is no cause');
      // It came after the compose had read the tag, so it may tell of something that was not visible then.
      assert.equal(twice.outcome, 'unchanged', twice.why);

      await change('untag', tag, 'e-tie-b');
      await change('tag', tag, 'e-tie-b');
      const back = await scene.decided(rule, 3);
      assert.equal(back.outcome, 'unchanged', back.why);

      const { requests } = opened().files;
      const before = requests.length;
      await change('tag', tag, other);
      const unrelated = await scene.decided(rule, 4);
      assert.equal(unrelated.outcome, 'unchanged', unrelated.why);
      assert.match(
        unrelated.why,
        new RegExp(`^The same packages and options as compose ${made.compose_id}, `),
      );
      // The event has the new build read, once for ever; deciding touches no RPM that was known.
      const read = requests.slice(before);
      const others = read.filter((request) => !request.startsWith(`GET /packages/${other}/`));
      assert.deepEqual(others, []);
      assert.equal(new Set(read).size, read.length, read.join(', '));

      const windows = await scene.windowsOf(rule);
      assert.deepEqual(
        windows.map(({ compose_id }) => compose_id),
        Array.from({ length: 4 }, () => made.compose_id),
        'the message that came again under its id opened no window, and nothing else was composed',
      );
      koji.tellsLastChange = true;
    },
  );
}

scenario('a build that is not signed yet is composed when it was signed', async (scene, context) => {
  await change('tag', 'f44-signed', 'e-tie-b');
  const waiting = await scene.decided('signed', 1);
  assert.equal(waiting.outcome, 'not_ready', waiting.why);
  assert.equal(waiting.why, 'Waiting: e-tie-b-1-1 not signed.');
  const build = join(opened().topDir, 'packages/e-tie-b/1/1');
  for (const arch of ['src', 'x86_64']) {
    const file = join(arch, `e-tie-b-1-1.${arch}.rpm`);
    cpSync(join(build, file), join(build, 'data/signed/aabbccdd', file), { recursive: true });
  }
  koji.importSigned('e-tie-b-1-1', 'aabbccdd');
  const sample = readSample('fedora-messaging/buildsys.rpm.sign-rpm-sign-message.json');
  // Build, RPM and key of the fixture.
  const name = { name: 'e-tie-b', version: '1', release: '1', epoch: null };
  const body = {
    ...sample.body,
    sigkey: 'aabbccdd',
    build: { ...Object(sample.body['build']), ...name, package_name: 'e-tie-b', nvr: 'e-tie-b-1-1' },
    rpm: { ...Object(sample.body['rpm']), ...name, arch: 'x86_64' },
  };
  await scene.publish({ ...sample, body });
  const made = await scene.decided('signed', 2);
  assert.equal(made.outcome, 'composed', made.why);
  assert.deepEqual(await scene.repoquery(context, made.compose_id), ['e-tie-b-1-1.x86_64']);
  const why = JSON.stringify(await scene.get(`/api/1/composes/${made.compose_id}/why`));
  assert.match(why, /koji\.tag/, 'the tagging is a cause, although its own window only waited');
  assert.match(why, /koji\.sign/);
});

scenario('a security update that is stable leads to a compose with its builds', async (scene, context) => {
  koji.importSigned('e-lib-1-1', '11223344');
  const sample = readSample(
    'fedora-messaging/bodhi.update.complete.stable-freshmaker-bodhi_update_stable.json',
  );
  // A build and the release of the fixture.
  const update = {
    ...Object(sample.body['update']),
    builds: [{ epoch: 0, nvr: 'e-lib-1-1', signed: true }],
    title: 'e-lib-1-1',
    release: { ...Object(sample.body['update']).release, name: 'F44' },
  };
  await scene.publish({ ...sample, body: { ...sample.body, update: { ...update, type: 'bugfix' } } });
  await scene.publish({ ...sample, body: { ...sample.body, update } });
  const made = await scene.decided('container-security-updates', 1);
  assert.equal(made.outcome, 'composed', made.why);
  assert.ok((await scene.repoquery(context, made.compose_id)).includes('e-lib-1-1.x86_64'));
  const told = await until(
    () =>
      scene.announcements.amqp
        .filter(({ fields }) => fields.routingKey === 'org.fedoraproject.prod.odcs.rule.decided')
        .map(({ content }) => JSON.parse(content.toString()) as Record<string, unknown>)
        .find((body) => body['rule'] === 'container-security-updates'),
    'what the rule tells the bus',
  );
  assert.deepEqual([told['outcome'], told['compose_id']], ['composed', made.compose_id]);
  assert.equal(
    (await scene.windowsOf('container-security-updates')).length,
    1,
    'the bug fix opened no window',
  );
});

scenario('a side tag is composed when all its packages are in it, not before', async (scene, context) => {
  const tag = 'f40-build-side-12345';
  koji.addTarget(`${tag}-target`, { buildTag: tag, destTag: tag });
  koji.startBuild('e-tie-b-2-1', `${tag}-target`);
  await change('tag', tag, 'e-tie-a');
  const early = await scene.decided('side-tag-ready', 1);
  assert.equal(early.outcome, 'not_ready', early.why);
  assert.equal(early.why, `Waiting: e-tie-b is not in ${tag}; e-tie-b-2-1 still building for ${tag}.`);
  koji.cancelBuild('e-tie-b-2-1');
  await change('tag', tag, 'e-tie-b');
  const made = await scene.decided('side-tag-ready', 2);
  assert.equal(made.outcome, 'composed', made.why);
  assert.deepEqual(await scene.repoquery(context, made.compose_id), [
    'e-tie-a-1-1.x86_64',
    'e-tie-b-1-1.x86_64',
  ]);
});

scenario(
  'a product is made of its finished parts, and again when one of them changed',
  async (scene, context) => {
    const lastComposed = async (count: number) =>
      until(async () => {
        const windows = await scene.windowsOf('product-from-parts');
        const composed = windows.filter(({ outcome }) => outcome === 'composed');
        return (
          composed.length === count &&
          windows.every(({ outcome }) => outcome !== 'requested') &&
          composed.at(-1)
        );
      }, `${count} composes of the product`);
    await change('tag', 'f44-baseos', 'e-zz');
    const part1 = await scene.decided('baseos', 1);
    assert.equal(part1.outcome, 'composed', part1.why);
    const early = await scene.decided('product-from-parts', 1);
    assert.equal(early.outcome, 'not_ready', early.why);
    assert.equal(early.why, 'Waiting: series appstream has no finished compose.');
    await change('tag', 'f44-appstream', 'e-tie-a');
    await scene.decided('appstream', 1);
    await change('tag', 'f44-crb', 'e-tie-b');
    await scene.decided('crb', 1);
    const product = await lastComposed(1);
    assert.deepEqual(await scene.repoquery(context, product.compose_id), [
      'e-tie-a-1-1.x86_64',
      'e-tie-b-1-1.x86_64',
      'e-zz-1-1.x86_64',
    ]);
    await change('tag', 'f44-crb', 'e-self');
    await scene.decided('crb', 2);
    const second = await lastComposed(2);
    assert.ok((await scene.repoquery(context, second.compose_id)).includes('e-self-1-1.x86_64'));
    const why = await scene.get(`/api/1/composes/${second.compose_id}/why`);
    assert.match(JSON.stringify(why), /"chain":\["crb"\]/);

    // The binding takes the reactor's own announcements back in: no rule judges them a second time.
    const answer = JSON.stringify(
      await scene.get('/api/1/decisions?rule=product-from-parts&outcome=unknown'),
    );
    assert.equal(answer, '{"items":[]}');
    const events = JSON.stringify(await scene.get('/api/1/events?kind=compose.state&bus=fedora-messaging'));
    assert.match(events, /An announcement of this service/);
  },
);

import assert from 'node:assert/strict';
import {
  appendFileSync,
  cpSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { z } from 'zod';
import { command } from '../../../src/commands/compose.ts';
import { createDemoRepository } from '../../../src/commands/demo/demo-files.ts';
import { metadataKeySettings } from '../../../src/metadata-key-settings.ts';
import { openTestComposer, repoRequest } from '../open-test-composer.ts';
import { startFileServer } from '../../upstream/koji/file-server.ts';
import { checkWithGpg, makeTestKey, type TestKey } from '../signing/test-keys.ts';

const folder = mkdtempSync('/tmp/odcs-verify-');
const key = makeTestKey(folder, 'main');
const other = makeTestKey(folder, 'other');
const composer = await openTestComposer();
after(async () => {
  await composer[Symbol.asyncDispose]();
  key.end();
  other.end();
  rmSync(folder, { recursive: true, force: true });
});
const repository = createDemoRepository(join(composer.folder, 'repository'));
await repository.add('base', composer.now);

async function makeCompose(signer: TestKey | null): Promise<string> {
  const keys =
    signer === null
      ? {}
      : { main: { fingerprint: signer.fingerprint, public_key: signer.publicKey, gpg_home: signer.home } };
  Object.assign(composer.context, {
    metadataKeys: {
      metadata_keys: metadataKeySettings.metadata_keys.schema.parse(keys),
      metadata_key: signer === null ? '' : 'main',
      metadata_key_of_target_dirs: {},
      metadata_key_of_series: {},
      metadata_signing_timeout: 60,
    },
  });
  const made = await composer.compose(repoRequest(repository.directory, ['curl', 'ed']), {
    series: 'images',
  });
  assert.equal(made.state, 'done', made.stateReason ?? '');
  return join(composer.targetDir, `odcs-${made.reusedId ?? made.id}`);
}

const signed = await makeCompose(key);
const unsigned = await makeCompose(null);

const reportSchema = z.object({
  ok: z.boolean(),
  signed_by: z.string().nullable(),
  fingerprint: z.string(),
  checked: z.object({ repositories: z.number(), packages: z.number(), bytes: z.number() }),
  problems: z.array(z.object({ path: z.string(), kind: z.string(), detail: z.string() })),
});

async function verify(location: string, args: readonly string[] = []) {
  let out = '';
  const code = await command.run({
    argv: ['verify', location, '--json', ...args],
    stdout: (text) => (out += text),
    stderr: (text) => (out += text),
    environment: {},
    isTerminal: false,
    signal: new AbortController().signal,
  });
  return { code, ...reportSchema.parse(JSON.parse(out)) };
}

/** A copy of a compose, changed by somebody. */
function changed(from: string, change: (directory: string) => void): string {
  const directory = mkdtempSync(join(folder, 'copy-'));
  cpSync(from, directory, { recursive: true, verbatimSymlinks: true });
  change(directory);
  return directory;
}

function findFile(directory: string, pattern: RegExp): string {
  const found = readdirSync(directory, { recursive: true, encoding: 'utf8' }).find((name) =>
    pattern.test(name),
  );
  assert.ok(found, `nothing matches ${pattern}`);
  return join(directory, found);
}

test('the provenance is an in-toto statement with what was asked for, the pins, the fingerprint and the version', async () => {
  const path = join(signed, 'compose/metadata/provenance.json');
  const statement: unknown = JSON.parse(readFileSync(path, 'utf8'));
  const read = z
    .object({
      _type: z.literal('https://in-toto.io/Statement/v1'),
      predicateType: z.literal('https://slsa.dev/provenance/v1'),
      subject: z.array(z.object({ name: z.string() })),
      predicate: z.object({
        buildDefinition: z.object({
          externalParameters: z.record(z.string(), z.unknown()),
          internalParameters: z.record(z.string(), z.unknown()),
        }),
        runDetails: z.object({
          builder: z.object({ id: z.string(), version: z.unknown() }),
          metadata: z.unknown(),
        }),
      }),
    })
    .parse(statement);
  const { externalParameters: asked, internalParameters: pins } = read.predicate.buildDefinition;
  assert.deepEqual([asked['packages'], asked['arches'], asked['series']], ['curl ed', 'x86_64', 'images']);
  assert.equal(pins['fingerprint'], readFileSync(join(signed, 'work/global/fingerprint'), 'utf8').trim());
  assert.equal(pins['source'], repository.directory);
  assert.deepEqual(read.predicate.runDetails.builder.version, { 'odcs-reactor': '0.0.0' });
  assert.equal(read.subject.filter(({ name }) => name.endsWith('/repomd.xml')).length, 3);
  assert.match(checkWithGpg(folder, key.publicKey, path), new RegExp(`VALIDSIG ${key.fingerprint}`));
});

test('a signed compose is well, in its directory and behind a URL, by its own key and by one from elsewhere', async (context) => {
  const server = await startFileServer(composer.targetDir);
  context.after(() => server.close());
  for (const location of [signed, `${server.url}/odcs-1`, `${server.url}/odcs-1/`]) {
    for (const args of [[], ['--key', key.publicKey]]) {
      const { code, ok, signed_by: by, checked, problems } = await verify(location, args);
      assert.deepEqual({ code, ok, by, problems }, { code: 0, ok: true, by: key.fingerprint, problems: [] });
      assert.equal(checked.repositories, 3);
      assert.ok(checked.packages >= 4, String(checked.packages));
    }
  }
});

test('each change of a signed compose is found, and told with its file', async () => {
  const cases: readonly (readonly [string, RegExp, string, (directory: string) => void])[] = [
    [
      'a package',
      /os\/Packages\/e\/ed-.*\.rpm$/,
      'digest',
      (directory) => {
        const path = findFile(directory, /os\/Packages\/e\/ed-.*\.rpm$/);
        const bytes = readFileSync(path);
        bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) ^ 1;
        rmSync(path);
        writeFileSync(path, bytes);
      },
    ],
    [
      'a lost package',
      /os\/Packages\/e\/ed-/,
      'missing',
      (directory) => rmSync(findFile(directory, /os\/Packages\/e\/ed-/)),
    ],
    [
      'a package more',
      /os\/Packages\/e\/evil\.rpm$/,
      'not listed',
      (directory) => writeFileSync(join(directory, 'compose/Temporary/x86_64/os/Packages/e/evil.rpm'), 'x'),
    ],
    [
      'primary',
      /os\/repodata\/.*-primary/,
      'digest',
      (directory) => {
        const path = findFile(directory, /os\/repodata\/.*-primary/);
        const bytes = readFileSync(path);
        bytes[20] = (bytes[20] ?? 0) ^ 1;
        writeFileSync(path, bytes);
      },
    ],
    [
      'filelists',
      /os\/repodata\/.*-filelists/,
      'missing',
      (directory) => rmSync(findFile(directory, /os\/repodata\/.*-filelists/)),
    ],
    [
      'rpms.json',
      /metadata\/rpms\.json$/,
      'digest',
      (directory) => appendFileSync(join(directory, 'compose/metadata/rpms.json'), ' '),
    ],
    [
      'a signature',
      /os\/repodata\/repomd\.xml$/,
      'unsigned',
      (directory) => rmSync(findFile(directory, /os\/repodata\/repomd\.xml\.asc$/)),
    ],
    [
      'repomd.xml',
      /os\/repodata\/repomd\.xml$/,
      'signature',
      (directory) => appendFileSync(findFile(directory, /os\/repodata\/repomd\.xml$/), ' '),
    ],
    [
      'the provenance',
      /provenance\.json$/,
      'signature',
      (directory) => appendFileSync(join(directory, 'compose/metadata/provenance.json'), ' '),
    ],
  ];
  for (const [what, path, kind, change] of cases) {
    const { code, ok, problems } = await verify(changed(signed, change));
    assert.deepEqual([code, ok], [1, false], what);
    assert.ok(
      problems.some((problem) => path.test(problem.path) && problem.kind === kind),
      `${what}: ${JSON.stringify(problems)}`,
    );
  }
});

test('a compose that is signed anew by another key is well only for who takes the key it carries', async () => {
  const forged = changed(signed, (directory) => {
    for (const name of readdirSync(directory, { recursive: true, encoding: 'utf8' })) {
      if (!name.endsWith('.asc') || name.endsWith('metadata-key.asc')) continue;
      const file = join(directory, name.slice(0, -'.asc'.length));
      rmSync(join(directory, name));
      other.gpg(['--armor', '--detach-sign', '--output', join(directory, name), file]);
    }
    writeFileSync(join(directory, 'compose/metadata-key.asc'), readFileSync(other.publicKey));
  });
  assert.equal((await verify(forged)).code, 0);
  const { code, problems } = await verify(forged, ['--key', key.publicKey]);
  assert.equal(code, 1);
  assert.ok(problems.every(({ kind }) => kind === 'signature'));
  assert.equal(problems.length, 4);
});

test('a compose without a signature is well only where that is said, and never one whose signatures were taken away', async () => {
  assert.equal((await verify(unsigned)).code, 1);
  const { code, signed_by: by } = await verify(unsigned, ['--unsigned']);
  assert.deepEqual([code, by], [0, null]);
  const bared = changed(signed, (directory) => {
    for (const name of readdirSync(directory, { recursive: true, encoding: 'utf8' })) {
      if (name.endsWith('.json.asc') || name.endsWith('.xml.asc')) rmSync(join(directory, name));
    }
  });
  assert.equal((await verify(bared, ['--unsigned'])).code, 1);
});

test('what is no compose, and a key that is none, end with a sentence', async () => {
  await assert.rejects(verify(join(folder, 'nowhere')), { code: 'verify.location_unknown' });
  await assert.rejects(verify(folder), { code: 'verify.provenance_missing' });
  await assert.rejects(verify(signed, ['--key', '/nowhere']), { code: 'verify.key_unreadable' });
  await assert.rejects(verify('http://127.0.0.1:1/odcs-1'), { code: 'verify.unreachable' });
  const broken = changed(unsigned, (directory) =>
    writeFileSync(join(directory, 'compose/metadata/provenance.json'), '{}'),
  );
  await assert.rejects(verify(broken, ['--unsigned']), { code: 'verify.provenance_unreadable' });
});

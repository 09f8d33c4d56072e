import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { command as definitionCommand } from '../../../../src/commands/definition.ts';
import { command as pungiKoji } from '../../../../src/commands/pungi-koji.ts';
import { planContext } from '../../../../src/composer/composer-context.ts';
import { planCompose, type ReadyPlan } from '../../../../src/composer/plan.ts';
import type { SourceType } from '../../../../src/source-types.ts';
import { ReactorError } from '../../../../src/model/errors.ts';
import { defaultRequest } from '../../../default-request.ts';
import { universe, type MainVector } from '../../main/recorded-vectors.ts';
import { openTestComposer } from '../../open-test-composer.ts';
import { makeConfigurationRepository, startMainHub, vectorOf } from './recorded-configuration.ts';

const folder = mkdtempSync(join(tmpdir(), 'scm-files-'));
const definitions = join(folder, 'definitions');
const hub = await startMainHub({ after });
const repository = makeConfigurationRepository({ after });
/** Where the files are that configurations take from elsewhere. */
const elsewhere = makeConfigurationRepository({ after });
const profile = join(folder, 'koji.conf');
writeFileSync(profile, `[fixture]\nserver = ${hub.url}\ntopdir = ${join(universe, 'koji-topdir')}\n`);
// Runs once: what a configuration fetches does not depend on the database.
const composer = await openTestComposer({
  koji_profile: 'fixture',
  koji_config: profile,
  git_allowed_urls: [elsewhere.url],
  definitions_dir: definitions,
  raw_config_urls: {
    fixture: { url: repository.url, config_filename: 'fixture.conf', path: 'configs' },
  },
});
after(async () => {
  await composer[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true });
});

async function plan(sourceType: SourceType, source: string): Promise<ReadyPlan> {
  const context = planContext(
    composer.context,
    { series: null, targetDir: 'default' },
    { log: composer.context.log, signal: new AbortController().signal, progress: () => undefined },
  );
  return planCompose(context, { ...defaultRequest, sourceType, source: [source] });
}

/** Plans a recorded configuration whose text is changed. */
function planConfiguration(vector: MainVector, change: (text: string) => string): Promise<ReadyPlan> {
  return plan('raw_config', `fixture#${repository.commit(vector, change)}`);
}

const withoutNotes = ({ manifest }: ReadyPlan): string[] =>
  manifest.filter((line) => !line.startsWith('option\tnotes\t'));
const inPlace = (text: string): string => text.replaceAll('@RUN@/', '');
const ofGit = (more: string, branch = ', "branch": "main"'): string =>
  `{"scm": "git", "repo": "${elsewhere.url}"${branch}, ${more}}`;
const ofFile = (more: string): string => `{"scm": "file", "repo": None, ${more}}`;

/** A configuration of a record whose files and directories come by `scm` dictionaries. */
function byScm(scm: (more: string) => string, top: string): (text: string) => string {
  return (text) =>
    inPlace(text)
      .replace('variants_file = "variants.xml"', `variants_file = ${scm(`"file": "${top}variants.xml"`)}`)
      .replace('comps_file = "comps.xml"', `comps_file = ${scm(`"file": "${top}comps.xml"`)}`)
      .replace('product_id = "pems"', `product_id = ${scm(`"dir": "${top}pems"`)}`)
      .replace('module_defaults_dir = "defaults"', `module_defaults_dir = ${scm(`"dir": "${top}defaults"`)}`);
}
const byGit = byScm((more) => ofGit(more), 'configs/');
const extraByGit = (text: string): string =>
  byGit(text)
    .replaceAll('"scm": "file", "repo": ""', `"scm": "git", "branch": "main", "repo": "${elsewhere.url}"`)
    .replaceAll('"ef', '"configs/ef');

const changes: Readonly<Record<string, (text: string) => string>> = {
  'link-copy-xz-productid': byGit,
  'modules-by-name': byGit,
  'extra-files-ok': extraByGit,
};
for (const [name, change] of Object.entries(changes)) {
  test(`the files of "${name}" in another repository make the same compose, and so does its import`, async () => {
    const vector = vectorOf(name);
    const commit = elsewhere.commit(vector, inPlace);
    const near = await planConfiguration(vector, inPlace);
    const far = await planConfiguration(vector, change);
    assert.deepEqual(far.manifest, near.manifest);
    const told = far.selection.remarks.filter((remark) => remark.startsWith('Taken from'));
    assert.equal(told.length, new Set(told).size);
    for (const remark of told) assert.ok(remark.includes(`${elsewhere.url} at ${commit}`), remark);
    assert.match(told.join(), /variants\.xml/);

    const conf = join(folder, 'fixture.conf');
    writeFileSync(conf, change(vector.files['fixture.conf'] ?? ''));
    const { code, printed } = await run(definitionCommand, [
      'import',
      conf,
      '--name',
      name,
      '--to',
      definitions,
    ]);
    assert.equal(code, 0, printed);
    const written = readFileSync(join(definitions, `${name}.yaml`), 'utf8');
    assert.match(written, /comps:\n +git: .*\n +revision: main\n +path: configs\/comps\.xml/);
    assert.deepEqual(withoutNotes(await plan('definition', name)), withoutNotes(near));
    const checked = await run(definitionCommand, ['check', join(definitions, `${name}.yaml`)]);
    assert.deepEqual([checked.code, checked.printed.includes('no mistake found')], [0, true]);
  });
}

async function run(command: typeof pungiKoji, argv: readonly string[]) {
  let printed = '';
  const code = await command.run({
    argv,
    stdout: (text) => (printed += text),
    stderr: (text) => (printed += text),
    environment: { ODCS_KOJI_CONFIG: profile, ODCS_DATA_DIR: join(folder, 'data') },
    isTerminal: false,
    signal: new AbortController().signal,
  });
  return { code, printed };
}

test('dictionaries of the scm "file" are files beside the configuration', async () => {
  const vector = vectorOf('link-copy-xz-productid');
  const near = await planConfiguration(vector, inPlace);
  const byFile = await planConfiguration(vector, byScm(ofFile, ''));
  assert.deepEqual(byFile.manifest, near.manifest);
});

test('a branch that moves counts for the next compose, though the configuration is the same', async () => {
  const vector = vectorOf('modules-by-name');
  elsewhere.commit(vector);
  const commit = repository.commit(vector, byGit);
  const before = await plan('raw_config', `fixture#${commit}`);
  const comps = join(elsewhere.url, 'configs/comps.xml');
  const text = readFileSync(comps, 'utf8');
  writeFileSync(comps, text.replace(/<packagereq[^>]*>m-bash<\/packagereq>/, ''));
  execFileSync('git', [
    '-C',
    elsewhere.url,
    '-c',
    'user.name=t',
    '-c',
    'user.email=t@example.org',
    'commit',
    '-qam',
    'x',
  ]);
  const after = await plan('raw_config', `fixture#${commit}`);
  assert.notEqual(after.fingerprint, before.fingerprint);
});

test('pungi-koji takes them too, whatever is allowed to the service', async () => {
  const vector = vectorOf('extra-files-ok');
  elsewhere.commit(vector, inPlace);
  const conf = join(folder, 'fixture.conf');
  writeFileSync(conf, extraByGit(vector.files['fixture.conf'] ?? ''));
  const { code, printed } = await run(pungiKoji, ['--config', conf, '--target-dir', folder, '--test']);
  assert.equal(code, 0, printed);
  assert.match(
    printed,
    /Taken from .*: configs\/comps\.xml, configs\/ef, configs\/ef\/EULA, configs\/ef\/GPL, configs\/variants\.xml\./,
  );
});

const vector = vectorOf('two-variants');
const comps = (value: string) => (text: string) =>
  text.replace('comps_file = "comps.xml"', `comps_file = ${value}`);
const refused: Readonly<Record<string, readonly [change: (text: string) => string, code: string, RegExp]>> = {
  'a command after the checkout': [
    comps(ofGit('"file": "configs/comps.xml", "command": "make"')),
    'main.not_native',
    /comps_file \(commands of a configuration are not run after a checkout\)/,
  ],
  'a command for extra files': [
    (text) =>
      `${text}extra_files = [("^.*$", {"*": [${ofGit('"file": "configs/comps.xml", "command": "make"')}]})]\n`,
    'main.not_native',
    /extra_files \(commands of a configuration/,
  ],
  'another scm': [
    comps('{"scm": "cvs", "repo": "x", "file": "comps.xml"}'),
    'main.not_native',
    /comps_file \(the scm "cvs" is not fetched, only "git" and "file"\)/,
  ],
  'a repository that is not allowed': [
    comps('{"scm": "git", "repo": "https://other.example.org/comps.git", "file": "comps.xml"}'),
    'git.url_refused',
    /other\.example\.org\/comps\.git may not be read/,
  ],
  'a file that is not there': [
    comps(ofGit('"file": "configs/camps.xml"')),
    'main.config_missing',
    /There is no "configs\/camps\.xml" at [0-9a-f]{40} of /,
  ],
  'a branch that is not there': [
    comps(ofGit('"file": "configs/comps.xml"', ', "branch": "gone"')),
    'git.revision_unknown',
    /has no commit "gone"/,
  ],
  'no branch, which means master, of a repository that has none': [
    comps(ofGit('"file": "configs/comps.xml"', '')),
    'git.revision_unknown',
    /has no commit "master"/,
  ],
  'a path out of the repository': [
    comps(ofGit('"file": "../comps.xml"')),
    'main.config_invalid',
    /"\.\.\/comps\.xml" of comps_file leads out of its repository/,
  ],
  'no file named': [
    comps(ofGit('"dir": "configs"')),
    'main.config_invalid',
    /comps_file does not say which file/,
  ],
  'no repository named': [
    comps('{"scm": "git", "file": "comps.xml"}'),
    'main.config_invalid',
    /comps_file names no repository/,
  ],
};
for (const [what, [change, code, sentence]] of Object.entries(refused)) {
  test(`a configuration with ${what} is refused, and told why`, async () => {
    await assert.rejects(planConfiguration(vector, change), (error) => {
      assert.ok(error instanceof ReactorError);
      assert.equal(error.code, code);
      assert.match(error.message, sentence);
      return true;
    });
  });
}

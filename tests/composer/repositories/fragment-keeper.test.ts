import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { loadRepositories } from '../../../src/composer/gather/load-repositories.ts';
import { FragmentKeeper } from '../../../src/composer/repositories/fragment-keeper.ts';
import { packageOfRepository } from '../../../src/composer/repositories/package-of-repository.ts';
import { openRepository } from '../../../src/rpm/repodata/read-repository.ts';
import { parseHostList } from '../../../src/upstream/http/host-list.ts';
import { sharedPath } from '../../shared.ts';

const folder = mkdtempSync(join(tmpdir(), 'odcs-keeper-'));
after(() => rmSync(folder, { recursive: true, force: true }));

/** A repository of one RPM whose metadata say something else of it than its header. */
async function repositorySaying(name: string, summary: string) {
  const directory = join(folder, name);
  mkdirSync(directory);
  const file =
    readdirSync(sharedPath('odcs', 'repo')).find((entry) => /^ed-1.*x86_64\.rpm$/.test(entry)) ?? '';
  cpSync(join(sharedPath('odcs', 'repo'), file), join(directory, file));
  execFileSync('createrepo_c', ['--quiet', '--no-database', directory]);
  const honest = await openRepository({}, directory);
  const primary = (await honest.readRecord('primary')).toString('utf8');
  const edited = join(folder, `${name}-primary.xml`);
  writeFileSync(edited, primary.replace(/<summary>[^<]*</, `<summary>${summary}<`));
  execFileSync('modifyrepo_c', ['--mdtype=primary', edited, join(directory, 'repodata')], {
    stdio: 'ignore',
  });
  const { index } = await loadRepositories({}, [{ location: directory, isLookaside: false }]);
  const repository = await openRepository({}, directory);
  const leads = { repoRoots: [folder], targetDirs: [], hosts: parseHostList([]), directories: new Map() };
  return { repository, rpm: packageOfRepository(index, 0, { leads, sigkey: null }) };
}

test('what one repository says of a package is not taken for what another one says', async () => {
  const keeper = new FragmentKeeper();
  const [lying, honest] = [
    await repositorySaying('a', 'All yours'),
    await repositorySaying('b', 'An editor'),
  ];
  assert.equal(lying.rpm.payload, honest.rpm.payload);
  const summaries: string[] = [];
  for (const { repository, rpm } of [lying, honest, lying]) {
    const [fragments] = await keeper.load([rpm], () => repository);
    const primary = Buffer.from(fragments?.primary ?? []).toString('utf8');
    summaries.push(/<summary>([^<]*)</.exec(primary)?.[1] ?? '');
  }
  assert.deepEqual(summaries, ['All yours', 'An editor', 'All yours']);
  assert.equal(keeper.measure()[0]?.entries, 2);
});

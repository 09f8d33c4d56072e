import assert from 'node:assert/strict';
import { test } from 'node:test';
import { buildPath, modulePath, rpmPath, taskPath } from '../../../src/upstream/koji/koji-path.ts';

const build = { packageName: 'bash', version: '5.2^git1', release: '1.fc42,draft_24', volume: 'DEFAULT' };
const rpm = { name: 'bash', epoch: '0', version: '5.2^git1', release: '1.fc42', arch: 'x86_64' };
const unfit = { code: 'koji.name_unfit' };

test('paths of builds, their RPMs, modules and scratch builds are those of Koji', () => {
  assert.equal(buildPath(build), 'packages/bash/5.2^git1/1.fc42,draft_24');
  assert.equal(
    buildPath({ ...build, volume: 'archive' }),
    'vol/archive/packages/bash/5.2^git1/1.fc42,draft_24',
  );
  const folder = 'packages/bash/5.2^git1/1.fc42,draft_24';
  assert.equal(rpmPath(build, rpm, null), `${folder}/x86_64/bash-5.2^git1-1.fc42.x86_64.rpm`);
  assert.equal(
    rpmPath(build, rpm, 'F5D95B82'),
    `${folder}/data/signed/f5d95b82/x86_64/bash-5.2^git1-1.fc42.x86_64.rpm`,
  );
  assert.equal(modulePath(build, 'modulemd.x86_64.txt'), `${folder}/files/module/modulemd.x86_64.txt`);
  assert.equal(taskPath('tasks/12/34/a-1-1.noarch.rpm'), 'work/tasks/12/34/a-1-1.noarch.rpm');
});

for (const name of ['..', '.', '', 'a/b', '../x', 'x\0', 'x\n', '/x']) {
  test(`a hub that names something ${JSON.stringify(name)} is not followed`, () => {
    for (const more of [{ packageName: name }, { version: name }, { release: name }, { volume: name }]) {
      assert.throws(() => buildPath({ ...build, ...more }), unfit, JSON.stringify(more));
    }
    assert.throws(() => rpmPath(build, { ...rpm, arch: name }, null), unfit);
    assert.throws(() => rpmPath(build, rpm, name), unfit);
    assert.throws(() => modulePath(build, name), unfit);
    assert.throws(() => taskPath(name), unfit);
  });
}

test('an RPM whose name leads elsewhere is not followed', () => {
  assert.throws(() => rpmPath(build, { ...rpm, name: '../../x' }, null), unfit);
  assert.throws(() => taskPath('tasks/../../../etc/a.rpm'), unfit);
  assert.throws(() => taskPath('tasks/1/.hidden.rpm'), unfit);
});

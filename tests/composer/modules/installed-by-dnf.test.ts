import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { createReadStream, globSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { ensurePackages } from '../../services/debian-packages.ts';
import { moduleRequest, startModuleComposer } from './make-compose.ts';
import { makeHost } from './module-host.ts';

const packages = ensurePackages(['dnf', 'rpm', 'libmodulemd-tools']);
const needsPackages = packages.ready ? {} : { skip: packages.reason };

const apple = 'apple:main:4220250103000000:b0c0ffee';

async function serve(context: TestContext, directory: string): Promise<string> {
  const server = createServer((request, response) => {
    const path = join(directory, decodeURIComponent(new URL(request.url ?? '', 'http://x').pathname));
    createReadStream(path)
      .on('error', () => response.writeHead(404).end())
      .pipe(response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  context.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

test(
  'a compose of modules is listed and installed by dnf as its .repo file says',
  needsPackages,
  async (context) => {
    const composer = await startModuleComposer(context);
    const plan = await composer.plan(moduleRequest(`damson:1 ${apple}`));
    assert.deepEqual(plan.selection.warnings, []);
    const directory = await composer.build(plan);

    const repo = readFileSync(join(directory, 'compose/Temporary/odcs-1.repo'), 'utf8');
    assert.match(
      repo,
      /^# Install the modules of this compose on platform f42 with:\n# dnf module install apple:main\/default\n# dnf module install damson:1\/default\n/,
    );
    const [record = ''] = globSync('compose/Temporary/x86_64/os/repodata/*-modules.yaml.gz', {
      cwd: directory,
    });
    const yaml = join(directory, 'modules.yaml');
    writeFileSync(yaml, gunzipSync(readFileSync(join(directory, record))));
    const validation = spawnSync('modulemd-validator', [yaml], { encoding: 'utf8' });
    assert.equal(validation.status, 0, validation.stdout + validation.stderr);

    const host = makeHost(context, `${await serve(context, directory)}/compose/Temporary/x86_64/os`);
    const list = await host.dnf('module', 'list');
    assert.equal(list.status, 0, list.output);
    for (const line of [
      /^apple +main +default, full/m,
      /^basket +1\.10 /m,
      /^cherry +stable-2 /m,
      /^damson +1 +default/m,
    ]) {
      assert.match(list.output, line);
    }
    const words = /^# dnf (module install damson:1\/default)$/m.exec(repo)?.[1]?.split(' ') ?? [];
    const install = await host.dnf(...words);
    assert.equal(install.status, 0, install.output);
    assert.deepEqual(host.installed(), [
      'apple apple:main:4220250103000000:b0c0ffee',
      'basket-libs basket:1.10:4220250101120000:5e001234',
      'cherry cherry:stable-2:4220250104000000:deadbeef',
      'damson damson:1:4220250105000000:12345678',
    ]);
  },
);

test('without its dependencies a module is warned of, and dnf refuses it', needsPackages, async (context) => {
  const composer = await startModuleComposer(context);
  const plan = await composer.plan(moduleRequest('damson:1', { flags: ['no_deps'] }));
  assert.match(
    plan.selection.warnings.join(),
    /^damson:1:\S+ requires apple:main and cherry:stable-2, which the compose/,
  );
  const directory = await composer.build(plan);
  const host = makeHost(context, `${await serve(context, directory)}/compose/Temporary/x86_64/os`);
  const install = await host.dnf('module', 'install', 'damson:1/default');
  assert.equal(install.status, 1);
  assert.match(install.output, /nothing provides module\(apple:main\)/);
});

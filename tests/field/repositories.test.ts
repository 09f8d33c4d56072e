import assert from 'node:assert/strict';
import { cpSync, existsSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import type { Compose } from '../../src/model/compose-json.ts';
import { openTestComposer, repoRequest } from '../composer/open-test-composer.ts';
import { sharedPath } from '../shared.ts';
import { serveCases } from './case-server.ts';

const composer = await openTestComposer();
const cases = join(composer.folder, 'cases');
cpSync(sharedPath('field-cases'), cases, { recursive: true });
const server = await serveCases(cases);
after(async () => {
  await server[Symbol.asyncDispose]();
  await composer[Symbol.asyncDispose]();
});

/** The same packages lie in every case: what one has fetched must not serve for the next. */
function forgetDownloads(): void {
  const store = join(composer.targetDir, '.packages');
  if (!existsSync(store)) return;
  for (const part of readdirSync(store)) {
    if (part !== 'incoming') rmSync(join(store, part), { recursive: true });
  }
}

function packagesOf({ id }: Compose): string[] {
  const root = join(composer.targetDir, `odcs-${id}/compose/Temporary`);
  return readdirSync(root, { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.rpm'))
    .map((path) => path.slice(path.lastIndexOf('/') + 1))
    .toSorted();
}

const app = ['app-1.0-1.src.rpm', 'app-1.0-1.x86_64.rpm', 'liba-1.2-3.src.rpm', 'liba-1.2-3.x86_64.rpm'];

interface Case {
  readonly place: string;
  readonly packages?: readonly string[];
  /** File names of all RPMs of the compose. */
  readonly holds: readonly string[];
  /** First parts of the path by which the case is served; a case has none where its server is part of it. */
  readonly habits?: readonly string[];
  readonly isLocal?: boolean;
}

const table: readonly Case[] = [
  { place: '01-xz/cxz', holds: app },
  { place: '01-xz/cbz2', holds: app },
  {
    place: '02-unversioned-provide/unver',
    packages: ['need'],
    holds: ['give-1-1.noarch.rpm', 'give-1-1.src.rpm', 'need-1-1.noarch.rpm', 'need-1-1.src.rpm'],
  },
  {
    place: '03-redirect/base',
    holds: app,
    habits: ['plain', 'moved', 'found', 'temporary', 'permanent', 'whole'],
  },
  { place: '07-sourcerpm/src_es', holds: app.slice(1) },
  { place: '07-sourcerpm/src_none', holds: app.slice(1) },
  { place: '07-sourcerpm/src_one', holds: app.slice(1) },
  { place: '08-size-missing/nosize', holds: app },
  { place: '08-size-missing/size0', holds: app },
  { place: '09-filelists-missing/shnofl', packages: ['*'], holds: ['scripty-1-1.noarch.rpm'] },
  {
    place: '09-filelists-missing/fdepnofl',
    packages: ['*'],
    holds: ['gives-1-1.noarch.rpm', 'lost-1-1.noarch.rpm', 'wants-1-1.noarch.rpm'],
  },
  { place: '09-filelists-missing/flack', holds: app },
  { place: '09-filelists-missing/olack', holds: app },
  { place: '09-filelists-missing/ostub', holds: app },
  ...['duppri', 'duprec', 'nosum', 'nosump', 'opensz', 'opensz0', 'sz0'].map((name) => ({
    place: `10-repomd-strict/${name}`,
    holds: app,
  })),
];

for (const { place, packages = ['app'], holds, habits = ['plain'], isLocal = true } of table) {
  for (const habit of [...(isLocal ? [''] : []), ...habits]) {
    test(`${place} ${habit === '' ? 'as a directory' : `over HTTP, ${habit}`} is composed`, async () => {
      forgetDownloads();
      const source = habit === '' ? join(cases, place) : `${server.url}/${habit}/${place}`;
      const compose = await composer.compose(repoRequest(source, packages, { flags: ['no_reuse'] }));
      assert.equal(compose.state, 'done', compose.stateReason ?? '');
      assert.deepEqual(packagesOf(compose), holds);
    });
  }
}

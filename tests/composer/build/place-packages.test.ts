import { contentOfPkgid } from '../../../src/model/content-id.ts';
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import {
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { hash } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { Pen } from '../../../src/composer/pen.ts';
import {
  cutPlacements,
  placePackages,
  type PlaceContext,
  type PlacementBatch,
} from '../../../src/composer/build/place-packages.ts';
import { PlacingThread } from '../../../src/composer/build/placing-thread.ts';
import { sourcePackage } from '../../../src/composer/source-package.ts';
import type { SourcePackage } from '../../../src/composer/selection.ts';
import type { FileStamp } from '../../../src/model/file-stamp.ts';

const folder = mkdtempSync(join(tmpdir(), 'odcs-place-'));
const placing = new PlacingThread();
after(async () => {
  await placing[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true });
});

interface Noted {
  readonly fileName: string;
  readonly found: FileStamp | null;
}

function placeContext(noted: Noted[] = [], done: number[] = []): PlaceContext {
  return {
    signal: new AbortController().signal,
    progress: (count) => done.push(count),
    localPathOf: () => Promise.reject(new Error('nothing here is remote')),
    delivery: 'link',
    placing,
    noteFile: ({ fileName }, found) => noted.push({ fileName, found }),
  };
}

let made = 0;

function packageOf(content: string, stamp?: FileStamp | null): SourcePackage & { readonly path: string } {
  const fileName = `p${(made += 1)}-1-1.noarch.rpm`;
  const path = join(folder, fileName);
  writeFileSync(path, content);
  const known = {
    name: `p${made}`,
    epoch: '0',
    version: '1',
    release: '1',
    arch: 'noarch',
    sourceRpm: null,
    fileName,
    payload: contentOfPkgid(hash('sha256', content)),
    sigkey: null,
    size: content.length,
    origin: { kind: 'file' as const, path, ...(stamp === undefined ? {} : { stamp }) },
  };
  return { ...sourcePackage(known), path };
}

function stampOf(path: string): FileStamp {
  const { mtimeMs, ino } = statSync(path);
  return { modified: Math.floor(mtimeMs), inode: ino };
}

function target(): string {
  const directory = join(folder, `target-${(made += 1)}`);
  mkdirSync(directory);
  return directory;
}

function batchesOf(packages: readonly SourcePackage[]): PlacementBatch[] {
  return cutPlacements(packages.map((rpm) => ({ package: rpm, path: `Packages/p/${rpm.fileName}` })));
}

test('a thousand packages become links to their files, batch by batch', async () => {
  const packages = Array.from({ length: 1000 }, (_, at) => packageOf(`content ${at}`));
  const directory = target();
  const done: number[] = [];
  await placePackages(placeContext([], done), new Pen(directory), batchesOf(packages));
  for (const rpm of packages) {
    assert.equal(statSync(join(directory, 'Packages/p', rpm.fileName)).ino, statSync(rpm.path).ino);
  }
  assert.deepEqual(done, [256, 512, 768, 1000]);
});

test('others have their turn between two batches', async () => {
  let turn = 0;
  let isDone = false;
  const count = (): void => {
    turn += 1;
    if (!isDone) setImmediate(count);
  };
  setImmediate(count);
  const seenAt = new Set<number>();
  const packages = Array.from({ length: 1000 }, (_, at): SourcePackage => {
    const rpm = packageOf(`turn ${at}`);
    return {
      ...rpm,
      get origin() {
        seenAt.add(turn);
        return rpm.origin;
      },
    };
  });
  try {
    await placePackages(placeContext(), new Pen(target()), batchesOf(packages));
  } finally {
    isDone = true;
  }
  assert.ok(seenAt.size >= 4, `all were looked at in ${seenAt.size} turns`);
});

test('a file that looks otherwise but has its content is placed, and its new looks are noted', async () => {
  const old = packageOf('the same', { modified: 1, inode: 1 });
  const never = packageOf('never looked at', null);
  const known = packageOf('known');
  const trusted = {
    ...known,
    origin: { kind: 'file' as const, path: known.path, stamp: stampOf(known.path) },
  };
  const noted: Noted[] = [];
  await placePackages(placeContext(noted), new Pen(target()), batchesOf([old, trusted, never]));
  assert.deepEqual(noted, [
    { fileName: old.fileName, found: stampOf(old.path) },
    { fileName: never.fileName, found: stampOf(never.path) },
  ]);
});

test('a file with another content, another size or none at all ends it with its name and path', async () => {
  const changed = packageOf('one content', { modified: 1, inode: 1 });
  writeFileSync(changed.path, 'two content');
  const longer = packageOf('short');
  writeFileSync(longer.path, 'longer than that');
  const lost = packageOf('lost');
  rmSync(lost.path);
  for (const [placed, code] of [
    [changed, 'compose.package_changed'],
    [longer, 'compose.package_changed'],
    [lost, 'compose.package_unreadable'],
  ] as const) {
    const noted: Noted[] = [];
    const fine = packageOf('fine');
    await assert.rejects(placePackages(placeContext(noted), new Pen(target()), batchesOf([fine, placed])), {
      code,
      where: placed.path,
      fate: 'retry',
    });
    assert.deepEqual(noted, [{ fileName: placed.fileName, found: null }]);
  }
});

for (const delivery of ['link', 'copy'] as const) {
  test(`a file that was swapped for a link to another does not get out by a ${delivery}`, async () => {
    const rpm = packageOf('mine');
    const secret = join(folder, `secret-${delivery}`);
    writeFileSync(secret, 'them');
    rmSync(rpm.path);
    symlinkSync(secret, rpm.path);
    const context = { ...placeContext(), delivery };
    await assert.rejects(placePackages(context, new Pen(target()), batchesOf([rpm])), {
      code: 'compose.package_changed',
    });
    writeFileSync(secret, 'mine');
    const directory = target();
    await placePackages(context, new Pen(directory), batchesOf([rpm]));
    assert.equal(lstatSync(join(directory, 'Packages/p', rpm.fileName)).isFile(), true);
  });
}

test('what is no file ends it at once', async () => {
  const rpm = packageOf('fifo');
  rmSync(rpm.path);
  spawnSync('mkfifo', [rpm.path]);
  for (const delivery of ['link', 'copy'] as const) {
    const context = { ...placeContext(), delivery };
    await assert.rejects(placePackages(context, new Pen(target()), batchesOf([rpm])), {
      code: 'compose.package_unreadable',
      message: /is no regular file/,
    });
  }
});

test('what another file has the name of is not overwritten', async () => {
  const rpm = packageOf('mine');
  const directory = target();
  mkdirSync(join(directory, 'Packages/p'), { recursive: true });
  const taken = join(directory, 'Packages/p', rpm.fileName);
  writeFileSync(taken, 'theirs');
  await assert.rejects(placePackages(placeContext(), new Pen(directory), batchesOf([rpm])), {
    code: 'compose.package_unreadable',
  });
  assert.equal(readFileSync(taken, 'utf8'), 'theirs');
});

test('a signal that aborts ends it, and nothing is placed afterwards', async () => {
  const rpm = packageOf('many times');
  const directory = target();
  const placements = Array.from({ length: 20 * 256 }, (_, at) => ({
    package: rpm,
    path: `Packages/p/${at}.rpm`,
  }));
  const abort = new AbortController();
  const progress = (): void => abort.abort(new Error('cancelled'));
  const context = { ...placeContext(), signal: abort.signal, progress };
  await assert.rejects(placePackages(context, new Pen(directory), cutPlacements(placements)), /cancelled/);
  const placed = readdirSync(join(directory, 'Packages/p')).length;
  assert.ok(placed < placements.length);
  // Whatever comes to the thread later comes after all that was asked of it before.
  await placePackages(placeContext(), new Pen(target()), batchesOf([rpm]));
  assert.equal(readdirSync(join(directory, 'Packages/p')).length, placed);
});

test('packages that were placed before are placed again without being told, and looked at again', async () => {
  const packages = ['stays', 'changes', 'stays too'].map((content) => packageOf(content));
  const batches = batchesOf(packages);
  let told = 0;
  const counted = batches.map((batch) => {
    assert.ok(batch.files);
    const { link } = batch.files;
    const list = (): ReturnType<typeof link.list> => {
      told += 1;
      return link.list();
    };
    return { ...batch, files: { ...batch.files, link: { list, told: null } } };
  });
  const first = target();
  const next = target();
  await placePackages(placeContext(), new Pen(first), counted);
  await placePackages(placeContext(), new Pen(next), counted);
  assert.equal(told, 1);
  assert.deepEqual(readdirSync(join(next, 'Packages/p')), readdirSync(join(first, 'Packages/p')));
  const changed = packages[1];
  assert.ok(changed);
  rmSync(changed.path);
  writeFileSync(changed.path, 'chanted');
  await assert.rejects(placePackages(placeContext(), new Pen(target()), counted), {
    code: 'compose.package_changed',
    message: new RegExp(changed.fileName),
  });
  assert.equal(told, 1);
});

test('packages that the thread has forgotten are told again', async () => {
  const batches = batchesOf([packageOf('one'), packageOf('two')]);
  await using own = new PlacingThread();
  const context = { ...placeContext(), placing: own };
  await placePackages(context, new Pen(target()), batches);
  // Another thread takes its place, and knows nothing.
  await own[Symbol.asyncDispose]();
  const directory = target();
  await placePackages(context, new Pen(directory), batches);
  assert.equal(readdirSync(join(directory, 'Packages/p')).length, 2);
});

import assert from 'node:assert/strict';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { Pen, realPathBelow } from '../../src/composer/pen.ts';

const folder = mkdtempSync(join(tmpdir(), 'odcs-pen-'));
after(() => rmSync(folder, { recursive: true }));

let made = 0;
function directories(): { readonly inside: string; readonly outside: string } {
  const root = join(folder, String((made += 1)));
  const [inside, outside] = [join(root, 'inside'), join(root, 'outside')];
  for (const directory of [inside, outside]) mkdirSync(directory, { recursive: true });
  return { inside, outside };
}

const outside = { code: 'compose.path_outside' };

for (const name of ['../x', '..', '.', '', '/etc/x', 'a/../../x', 'a//b', 'a/', 'a\0b', 'a\nb', './x']) {
  test(`nothing is written at ${JSON.stringify(name)}`, () => {
    const { inside, outside: other } = directories();
    const pen = new Pen(inside);
    assert.throws(() => pen.path(name), outside);
    assert.throws(() => pen.writeFile(name, 'x'), outside);
    assert.throws(() => pen.makeDirectory(name), outside);
    assert.deepEqual([readdirSync(inside), readdirSync(other)], [[], []]);
  });
}

test('files and directories are made below the root', () => {
  const { inside } = directories();
  new Pen(inside).writeFile('compose/metadata/rpms.json', '{}');
  assert.equal(readFileSync(join(inside, 'compose/metadata/rpms.json'), 'utf8'), '{}');
});

test('a link that was put there is not followed', () => {
  const { inside, outside: other } = directories();
  symlinkSync(other, join(inside, 'compose'));
  symlinkSync(join(other, 'made'), join(inside, 'STATUS'));
  const pen = new Pen(inside);
  assert.throws(() => pen.writeFile('compose/rpms.json', '{}'), outside);
  assert.throws(() => pen.makeDirectory('compose/Temporary'), outside);
  assert.throws(() => pen.writeFile('STATUS', 'FINISHED'), { code: 'EEXIST' });
  assert.deepEqual(readdirSync(other), []);
});

test('a directory that became a link is noticed', () => {
  const { inside, outside: other } = directories();
  const pen = new Pen(inside);
  pen.makeDirectory('Temporary/x86_64');
  pen.checkDirectories(['Temporary/x86_64']);
  rmSync(join(inside, 'Temporary'), { recursive: true });
  mkdirSync(join(other, 'x86_64'));
  symlinkSync(other, join(inside, 'Temporary'));
  assert.throws(() => pen.checkDirectories(['Temporary/x86_64']), outside);
});

test('a file is read below a directory only', () => {
  const { inside, outside: other } = directories();
  writeFileSync(join(other, 'secret'), 'x');
  symlinkSync(join(other, 'secret'), join(inside, 'link'));
  writeFileSync(join(inside, 'file'), 'x');
  symlinkSync('file', join(inside, 'near'));
  assert.throws(() => realPathBelow(inside, 'link'), outside);
  assert.equal(realPathBelow(inside, 'near'), join(inside, 'file'));
  assert.equal(existsSync(realPathBelow(inside, 'file')), true);
});

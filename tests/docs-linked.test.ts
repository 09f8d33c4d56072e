import assert from 'node:assert/strict';
import { existsSync, globSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { test } from 'node:test';

const root = resolve(import.meta.dirname, '..');
const pages = ['README.md', 'ARCHITECTURE.md', 'CHANGELOG.md', ...globSync('docs/**/*.md', { cwd: root })];

/** What a page links to in this repository: a path from its root, and the heading on it. */
function linksOf(page: string): readonly { readonly target: string; readonly anchor: string }[] {
  const text = readFileSync(join(root, page), 'utf8').replaceAll(/```[\s\S]*?```/g, '');
  return [...text.matchAll(/\]\(([^)\s]+)\)/g)]
    .map((match) => match[1] ?? '')
    .filter((link) => !/^[a-z]+:/.test(link))
    .map((link) => {
      const [path = '', anchor = ''] = link.split('#');
      const target = path === '' ? page : relative(root, resolve(root, dirname(page), path));
      return { target, anchor };
    });
}

/** The names of a page's headings, as they stand in links. */
function anchorsOf(page: string): ReadonlySet<string> {
  const text = readFileSync(join(root, page), 'utf8').replaceAll(/```[\s\S]*?```/g, '');
  return new Set(
    [...text.matchAll(/^#+ (.+)$/gm)].map((match) =>
      (match[1] ?? '')
        .toLowerCase()
        .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
        .replaceAll(' ', '-'),
    ),
  );
}

test('every link in the documents leads to a file, and to a heading that is there', () => {
  const broken = pages.flatMap((page) =>
    linksOf(page)
      .filter(({ target, anchor }) => {
        if (!existsSync(join(root, target))) return true;
        return anchor !== '' && target.endsWith('.md') && !anchorsOf(target).has(anchor);
      })
      .map(({ target, anchor }) => `${page}: ${target}${anchor === '' ? '' : `#${anchor}`}`),
  );
  assert.deepEqual(broken, []);
});

test('the map of the documents, which the README names, names every page', () => {
  assert.ok(linksOf('README.md').some(({ target }) => target === 'docs/README.md'));
  const linked = linksOf('docs/README.md').map(({ target }) => target);
  const directories = linked.filter((target) => statSync(join(root, target)).isDirectory());
  const missing = pages
    .filter((page) => page !== 'docs/README.md' && !linked.includes(page))
    .filter((page) => !directories.some((directory) => page.startsWith(`${directory}/`)));
  assert.deepEqual(missing, []);
});

test('every source file that the page on security names is there', () => {
  const text = readFileSync(join(root, 'docs/security.md'), 'utf8');
  const named = [
    ...text.matchAll(/`((?:src|tests|api|cache|composer|rpm|rules|upstream)\/[\w./-]+\.ts)`/g),
  ].map(([, path = '']) => (/^(?:src|tests)\//.test(path) ? path : `src/${path}`));
  assert.ok(named.length > 20);
  assert.deepEqual(
    named.filter((path) => !existsSync(join(root, path))),
    [],
  );
});

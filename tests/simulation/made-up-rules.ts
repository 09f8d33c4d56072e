import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

type Edit = readonly [from: string | RegExp, to: string];

/** The text of a shipped rule, active, each edit made. Throws where an edit finds nothing. */
function shippedRule(kind: string, name: string, edits: readonly Edit[]): string {
  const text = readFileSync(resolve(import.meta.dirname, '../../rules', `${kind}.yaml`), 'utf8');
  const all: readonly Edit[] = [
    ['mode: shadow', 'mode: active'],
    [`name: ${kind}`, `name: ${name}`],
    ...edits,
  ];
  return all.reduce((edited, [from, to]) => {
    const made = edited.replaceAll(typeof from === 'string' ? from : new RegExp(from, 'g'), to);
    if (made === edited && String(from) !== to) throw new Error(`${kind} has no ${String(from)}`);
    return made;
  }, text);
}

/** Packages of an image, the same for the same number. */
export function imagePackages(image: number): readonly string[] {
  return Array.from({ length: 12 }, (_none, at) => `package-${(image * 977 + at * 131) % 25_000}`);
}

/**
 * Writes a hundred rules of every shipped kind, as a distribution would fill them in: tags that are followed, images,
 * side tags, modules, advisories, products and main composes of parts, nightly ones. Returns how many there are.
 */
export function writeMadeUpRules(
  directory: string,
  { releases, tags }: { readonly releases: readonly number[]; readonly tags: readonly string[] },
): number {
  mkdirSync(directory, { recursive: true });
  const rules = new Map<string, string>();
  const add = (kind: string, name: string, edits: readonly Edit[]): void => {
    rules.set(name, shippedRule(kind, name, edits));
  };
  const following = tags.slice(0, 24);
  for (const tag of following) {
    add('tag-following', `follow-${tag}`, [
      ['feeds: f44', `feeds: ${tag}`],
      ['series: f44', `series: ${tag}`],
      ['source: f44', `source: ${tag}`],
    ]);
  }
  for (let image = 0; image < 24; image += 1) {
    const release = releases[image % releases.length] ?? 44;
    const packages = imagePackages(image).join(', ');
    add('container-security-updates', `image-${image}`, [
      ['release: F44', `release: F${release}`],
      [/\[openssl-libs, libcurl, glibc\]/, `[${packages}]`],
      ['source: f44', `source: f${release}-updates`],
      ['container-updates-', `image-${image}-`],
      [/\nrequire:\n[^\n]*\nrequire_within: 1d\n/, '\n'],
    ]);
  }
  for (const release of releases) {
    add('side-tag-ready', `side-tags-of-f${release}`, [
      ['f45-build-side-*', `f${release}-build-side-*`],
      [/packages: \[python3.15, python-setuptools, python-pip\]/, 'packages: [package-1, package-2]'],
    ]);
  }
  for (const stream of ['a', 'b', 'c', 'd', 'e', 'f']) {
    add('module-ready', `modules-${stream}`, [
      ['match:\n      state: ready\n', `match:\n      state: ready\n      name: module-${stream}*\n`],
    ]);
  }
  for (const severity of ['Critical', 'Important', 'Moderate', 'Low']) {
    add('errata-rhsa-shipped', `advisories-${severity.toLowerCase()}`, [
      ['[Critical, Important]', `[${severity}]`],
      ['series: advisory-', `series: ${severity.toLowerCase()}-advisory-`],
    ]);
  }
  for (let product = 0; rules.size < 80; product += 1) {
    const parts = [0, 1, 2].map((part) => following[(product * 3 + part) % following.length] ?? 'f44');
    const edits: Edit[] = [['[baseos, appstream, crb]', `[${parts.join(', ')}]`]];
    add('product-from-parts', `product-${product}`, [
      ...edits,
      ['series: product', `series: product-${product}`],
      ['source: baseos appstream crb', `source: ${parts.join(' ')}`],
    ]);
  }
  for (let main = 0; rules.size < 90; main += 1) {
    const parts = [0, 1].map((part) => following[(main * 2 + part) % following.length] ?? 'f44');
    add('main-from-parts', `main-${main}`, [
      ['[baseos, appstream]', `[${parts.join(', ')}]`],
      ['series: main', `series: main-${main}`],
      ['source: main', `source: main-${main}`],
    ]);
  }
  for (let nightly = 0; rules.size < 100; nightly += 1) {
    add('nightly-if-changed', `nightly-${nightly}`, [
      ['series: eln', `series: nightly-${nightly}`],
      ['source: eln', `source: nightly-${nightly}`],
      ['0 3 * * *', `${(nightly * 7) % 60} ${nightly % 6} * * *`],
    ]);
  }
  for (const [name, text] of rules) writeFileSync(join(directory, `${name}.yaml`), text);
  return rules.size;
}

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Config } from '../../../src/composer/main/config-value.ts';
import { findNotNative } from '../../../src/composer/main/find-not-native.ts';
import { readImageTasks } from '../../../src/composer/main/images-of-config.ts';
import { loadConfig } from '../../../src/composer/main/load-config.ts';
import { readVariants } from '../../../src/composer/main/read-variants.ts';
import { validateConfig } from '../../../src/composer/main/validate-config.ts';
import { configFiles } from './config-files.ts';

const whole = `release_name = "F"
release_short = "F"
release_version = "1"
variants_file = "variants.xml"
pkgset_source = "koji"
koji_profile = "k"
pkgset_koji_tag = "t"
gather_method = "deps"
skip_phases = ["createiso"]
`;

function configOf(text: string): Config {
  return loadConfig(configFiles({ 'main.conf': `${whole}${text}` }), 'main.conf').config;
}

const variant = (id: string): string =>
  `<variant id="${id}" name="${id}" type="variant"><arches><arch>x86_64</arch><arch>s390x</arch></arches></variant>`;
const variants = readVariants(
  Buffer.from(
    `<?xml version="1.0"?>\n<!DOCTYPE variants PUBLIC "-//X//EN" "variants2.dtd">\n<variants>\n${variant('BaseOS')}${variant('Cloud')}\n</variants>\n`,
  ),
  { where: 'variants.xml', treeArches: [], treeVariants: [] },
);

const images = `kiwibuild = {
  "^Cloud$": [
    {"kiwi_profile": "Cloud-Base", "arches": ["x86_64", "ppc64le"], "release": None, "failable": ["*"]},
    {"kiwi_profile": "Elsewhere", "arches": ["ppc64le"]},
  ],
}
kiwibuild_description_scm = "git+https://example.org/kiwi.git#HEAD"
kiwibuild_description_path = "F.kiwi"
global_target = "f-kiwi"
global_release = "!RELEASE_FROM_DATE_RESPIN"
osbs = {"^BaseOS$": {"url": "git://example.org/base#main", "target": "c", "git_branch": "f", "failable": True}}
`;

test('images are those of the variants that patterns match, with what phase and configuration say for all', () => {
  assert.deepEqual(readImageTasks(configOf(images), variants, ['sha256']), [
    {
      phase: 'osbs',
      variant: 'BaseOS',
      arches: [],
      failable: [],
      isFailable: true,
      checksums: ['sha256'],
      options: { url: 'git://example.org/base#main', target: 'c', git_branch: 'f', failable: true },
    },
    {
      phase: 'kiwibuild',
      variant: 'Cloud',
      arches: ['x86_64'],
      failable: ['x86_64'],
      isFailable: true,
      checksums: ['sha256'],
      options: {
        kiwi_profile: 'Cloud-Base',
        arches: ['x86_64', 'ppc64le'],
        failable: ['*'],
        release: null,
        target: 'f-kiwi',
        description_scm: 'git+https://example.org/kiwi.git#HEAD',
        description_path: 'F.kiwi',
      },
    },
  ]);
  assert.deepEqual(
    readImageTasks(configOf(images.replace('global_target', 'other_target')), new Map(), []),
    [],
  );
});

test('an image that lacks what Koji needs is told, and one of a skipped phase is none', () => {
  const lacking = images.replace('global_target', 'osbuild_target');
  assert.throws(() => readImageTasks(configOf(lacking), variants, []), {
    code: 'main.config_invalid',
    message: 'An image of kiwibuild for Cloud lacks target.',
  });
  const skipped = `${lacking}skip_phases = ["createiso", "kiwibuild"]\n`;
  assert.deepEqual(
    readImageTasks(configOf(skipped), variants, []).map(({ phase }) => phase),
    ['osbs'],
  );
});

test('what an image may not say is told as Pungi tells it', () => {
  const wrong = `kiwibuild = {"^B": [{"kiwi_profil": "x", "arches": "x86_64"}], "(": "no list"}
imagebuilder = ["no mapping"]
image_container = {"^B": {"url": "u", "target": "t", "git_branch": "b"}}
`;
  assert.deepEqual(validateConfig(configOf(wrong)), {
    warnings: [],
    errors: [
      "Failed validation in kiwibuild.^B.0.arches: 'x86_64' is not of type 'array'",
      "Failed validation in kiwibuild.^B.0: 'kiwi_profile' is a required property",
      "Failed validation in kiwibuild.^B.0: Additional properties are not allowed ('kiwi_profil' was unexpected)",
      'Failed validation in kiwibuild: incorrect regular expression: missing ), unterminated subpattern at position 0',
      "Failed validation in kiwibuild.(: 'no list' is not of type 'array'",
      "Failed validation in imagebuilder: ['no mapping'] is not of type 'object'",
      "Failed validation in image_container.^B: 'image_spec' is a required property",
    ],
  });
});

test('images are not native only where nobody logs into Koji; others never are', () => {
  const asked = configOf(`${images}live_media = {"^B": [{"name": "x", "kickstart": "y"}]}
ostree = {"^B": {"treefile": "t", "config_url": "u", "ostree_repo": "r"}}
buildinstall_method = "lorax"
`);
  const named = (makesImages: boolean): string[] =>
    findNotNative(asked, { ctsUrl: '', makesImages }).map(({ option }) => option);
  assert.deepEqual(named(true), ['buildinstall_method', 'live_media', 'ostree']);
  assert.deepEqual(named(false), ['buildinstall_method', 'live_media', 'ostree', 'kiwibuild', 'osbs']);
});

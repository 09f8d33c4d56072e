import { addPrimary } from '../../src/composer/gather/add-packages.ts';
import { GatherIndex } from '../../src/composer/gather/gather-index.ts';
import { parseComps } from '../../src/rpm/comps.ts';
import { parseRepomd } from '../../src/rpm/repodata/repomd.ts';
import { scanFilelists } from '../../src/rpm/repodata/scan-filelists.ts';
import type { Growing } from './growth.ts';
import type { Random } from './random.ts';

/** What stands in a tag, a list or a text again and again. */
const fillings: readonly string[] = [
  'href= ',
  'a="b" ',
  "a='b' ",
  '" ',
  "' ",
  '&amp;',
  '&#65;',
  '<a>',
  '<a/>',
  '</a>',
  '<location>',
  '<location href="',
  '<file>',
  '<file>/etc/a</file>',
  '<file type="dir" >/etc/&amp;</file>',
  '<rpm:entry name="a"/>',
  "<rpm:entry name='a' flags='EQ' ver='1'/>",
  '<rpm:entry name="',
  '<rpm:conflicts>',
  '<rpm:provides>',
  '<name>a</name>',
  '<version epoch="0" ver="',
  '</package',
  '</package>',
  '</packager>',
  '<package type="rpm">',
  '<package pkgid="a">',
  '<!-- -->',
  '<!--',
  '<![CDATA[',
  '<![CDATA[a]]>',
  '<?a?>',
  ']]>',
  '\r\n',
  '\u00e9',
];

/** Where it stands. */
const places: readonly (readonly [string, string])[] = [
  ['', ''],
  ['<location x=" ', '" href="a.rpm"/>'],
  ['<location ', ' href="a.rpm"/>'],
  ['<rpm:provides>', '</rpm:provides>'],
  ['<name >a</name><rpm:requires>', '</rpm:requires>'],
  ['<name>', '</name>'],
  ['<!DOCTYPE a [', ']>'],
];

const readers: readonly {
  readonly name: string;
  readonly wrap: readonly [string, string];
  readonly read: (input: Buffer) => unknown;
}[] = [
  {
    name: 'primary.xml',
    wrap: ['<metadata><package type="rpm">', '</package></metadata>'],
    read: async (input) => {
      const index = new GatherIndex();
      const repository = index.addRepository({ name: 'fuzz', isLookaside: false });
      await addPrimary(index, repository, [input], 'primary.xml', input.length);
    },
  },
  {
    name: 'repomd.xml',
    wrap: ['<repomd><data type="primary">', '</data></repomd>'],
    read: (input) => parseRepomd(input, 'repomd.xml'),
  },
  {
    name: 'comps.xml',
    wrap: ['<comps><group>', '</group></comps>'],
    read: (input) => parseComps(input, 'comps.xml'),
  },
  {
    name: 'filelists.xml',
    wrap: ['<filelists><package pkgid="a">', '</package></filelists>'],
    read: (input) => scanFilelists([input], 'filelists.xml', { package: () => true, file: () => undefined }),
  },
];

/** Every reader of repodata with each of the fillings at every place of its file. */
export function* listXmlShapes(texts: readonly string[] = fillings): Generator<Growing> {
  for (const { name, wrap, read } of readers) {
    for (const [before, behind] of places) {
      for (const filling of texts) yield shapeOf(name, [wrap[0] + before, behind + wrap[1]], filling, read);
    }
  }
}

/** Some of the fillings in a row. */
export function mixFillings(random: Random): string {
  return Array.from({ length: 2 + random.below(3) }, () => fillings[random.below(fillings.length)]).join('');
}

function shapeOf(
  name: string,
  [before, behind]: readonly [string, string],
  filling: string,
  read: (input: Buffer) => unknown,
): Growing {
  return {
    what: `${name} ${before}${filling}… ${behind}`,
    make: (bytes) => Buffer.from(before + filling.repeat(Math.ceil(bytes / filling.length)) + behind),
    read,
  };
}

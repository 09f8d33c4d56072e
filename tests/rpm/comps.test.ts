import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ReactorError } from '../../src/model/errors.ts';
import { formatComps, inputOfGroups, parseComps } from '../../src/rpm/comps.ts';

const document = `<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE comps PUBLIC "-//Red Hat, Inc.//DTD Comps info//EN" "comps.dtd">
<comps>
  <group>
    <id>core</id>
    <name>Core</name><name xml:lang="de">Kern</name>
    <packagelist>
      <packagereq type="mandatory">bash</packagereq>
      <packagereq type="default">vim</packagereq>
      <packagereq type="optional">emacs</packagereq>
      <packagereq>nano</packagereq>
      <packagereq type="conditional" requires="gtk&amp;x">vim-gtk</packagereq>
    </packagelist>
  </group>
  <langpacks>
    <match install="libreoffice-langpack-%s" name="libreoffice-core"/>
  </langpacks>
</comps>
`;

test('groups, conditional packages and langpacks of a comps file are read', () => {
  const comps = parseComps(Buffer.from(document), 'comps.xml');
  assert.deepEqual(comps.langpacks, [{ name: 'libreoffice-core', install: 'libreoffice-langpack-%s' }]);
  assert.deepEqual(inputOfGroups(comps, ['core']), {
    packages: ['bash', 'vim', 'emacs', 'nano'],
    conditionals: [{ trigger: 'gtk&x', install: 'vim-gtk' }],
  });
  assert.throws(() => inputOfGroups(comps, ['kde']), { code: 'comps.group_missing' });
});

test('the comps of a compose is read back, and is empty without packages', () => {
  const comps = parseComps(Buffer.from(formatComps(['a', 'b<c'])), 'comps.xml');
  assert.deepEqual(inputOfGroups(comps, ['odcs-group']).packages, ['a', 'b<c']);
  assert.deepEqual(parseComps(Buffer.from(formatComps([])), 'comps.xml').groups, []);
});

test('a comps file with entities of its own is refused', () => {
  const bomb = '<!DOCTYPE comps [<!ENTITY a "aaaa">]>\n<comps><group><id>&a;</id></group></comps>';
  assert.throws(
    () => parseComps(Buffer.from(bomb), 'comps.xml'),
    (thrown) => thrown instanceof ReactorError && thrown.code === 'repodata.entity',
  );
});

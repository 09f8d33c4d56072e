import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseHostList, type Pointer } from '../../../src/upstream/http/host-list.ts';

/** Entries, a URL, and who may point there. */
const cases: readonly [string[], string, Pointer[]][] = [
  [['mirror.example.org'], 'https://mirror.example.org/repo', ['local person', 'person', 'upstream']],
  [['Mirror.Example.org'], 'https://MIRROR.example.org/repo', ['local person', 'person', 'upstream']],
  [['mirror.example.org'], 'http://mirror.example.org:8080/', ['local person', 'person']],
  [['mirror.example.org:8080'], 'http://mirror.example.org:8080/', ['local person', 'person', 'upstream']],
  [['mirror.example.org:8080'], 'http://mirror.example.org/', []],
  [['mirror.example.org:443'], 'https://mirror.example.org/', ['local person', 'person', 'upstream']],
  [['mirror.example.org'], 'https://evil-mirror.example.org/', []],
  [['mirror.example.org'], 'https://a.mirror.example.org/', []],
  [['*.example.org'], 'https://a.b.example.org/', ['local person', 'person', 'upstream']],
  [['*.example.org'], 'https://example.org/', []],
  [['.example.org'], 'https://example.org/', ['local person', 'person', 'upstream']],
  [['.example.org'], 'https://a.example.org/', ['local person', 'person', 'upstream']],
  [['.example.org'], 'https://badexample.org/', []],
  [['*.example.org:8443'], 'https://a.example.org:8443/', ['local person', 'person', 'upstream']],
  [['*.0.0.1'], 'http://127.0.0.1/', []],
  [['127.0.0.1'], 'http://127.0.0.1:8080/', ['local person']],
  [['127.0.0.1'], 'http://127.1/', ['local person']],
  [['127.0.0.1'], 'http://0x7f000001/', ['local person']],
  [['localhost'], 'http://localhost/', ['local person']],
  [['localhost'], 'http://localhost./', []],
  [['localhost:8080'], 'http://localhost:8080/', ['local person', 'person', 'upstream']],
  [['::1'], 'http://[::1]:8080/', ['local person']],
  [['[::1]:8080'], 'http://[::1]:8080/', ['local person', 'person', 'upstream']],
  [['[::1]:8080'], 'http://[::1]:8081/', []],
  [['10.0.0.0/8'], 'http://10.1.2.3/', ['local person', 'person', 'upstream']],
  [['10.0.0.0/8'], 'http://11.1.2.3/', []],
  [['2001:db8::/32'], 'http://[2001:db8::7]/', ['local person', 'person', 'upstream']],
  [['10.0.0.0/99'], 'http://10.1.2.3/', []],
  [[], 'http://mirror.example.org/', []],
  [['', '*'], 'http://mirror.example.org/', []],
];
for (const [entries, url, expected] of cases) {
  test(`[${entries.join(', ')}] opens ${url} to ${expected.join(', ') || 'nobody'}`, () => {
    const list = parseHostList(entries);
    const pointers = (['local person', 'person', 'upstream'] as const).filter((pointer) =>
      list.allows(new URL(url), pointer),
    );
    assert.deepEqual(pointers, expected);
  });
}

test('only names listed as they are, and listed networks, may lie at private addresses', () => {
  const list = parseHostList(['mirror.corp', '*.example.org', '10.1.0.0/16']);
  assert.ok(list.mayBeAt('mirror.corp', '192.168.0.1'));
  assert.ok(!list.mayBeAt('a.example.org', '192.168.0.1'));
  assert.ok(list.mayBeAt('a.example.org', '10.1.2.3'));
});

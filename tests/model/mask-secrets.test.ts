import assert from 'node:assert/strict';
import { test } from 'node:test';
import { maskSecrets } from '../../src/model/mask-secrets.ts';

for (const [shown, hidden] of [
  ['https://TOKEN@git/x', 'https://***@git/x'],
  ['https://user:pass@git/x', 'https://***@git/x'],
  ['https://TOKEN:x-oauth-basic@git/x#main', 'https://***@git/x#main'],
  ['git+https://TOKEN@git/x', 'git+https://***@git/x'],
  ['https://a:p@ss@git/x', 'https://***@git/x'],
  ['https://git/x?private_token=abc&ref=main', 'https://git/x?private_token=***&ref=main'],
  ['https://git/x?ref=main&key=abc', 'https://git/x?ref=main&key=***'],
  ['amqps://user:pass@broker/%2F', 'amqps://user:***@broker/%2F'],
  ['ssh://git@host/x', 'ssh://git@host/x'],
  ['git@host:x', 'git@host:x'],
  ['https://git/x@main?keyword=a', 'https://git/x@main?keyword=a'],
] as const) {
  test(`${shown} is shown as ${hidden}`, () => {
    assert.equal(maskSecrets(shown), hidden);
  });
}

test('secrets are hidden wherever they stand', () => {
  assert.deepEqual(
    maskSecrets({
      a: { url: 'https://T@git/x', api_token: 'abc', password: '', port: 5 },
      b: ['https://T@h/'],
    }),
    { a: { url: 'https://***@git/x', api_token: '***', password: '', port: 5 }, b: ['https://***@h/'] },
  );
});

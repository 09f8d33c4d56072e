import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { after, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { RepositoryCache } from '../../../src/composer/repositories/repository-cache.ts';
import { repositoryReader } from '../../../src/upstream/read-repository-url.ts';
import { configuredPolicy } from '../../../src/upstream/http/fetch-policy.ts';
import { HttpClient } from '../../../src/upstream/http/http-client.ts';
import { serve } from '../../upstream/http/test-server.ts';

const sha256 = (bytes: Uint8Array | string): string => createHash('sha256').update(bytes).digest('hex');

/** Path to content. */
const files = new Map<string, Buffer>();
const server = await serve({ after }, (request, response) => {
  const bytes = files.get(request.url ?? '');
  if (bytes === undefined) response.writeHead(404).end();
  else response.end(bytes);
});
const client = new HttpClient({ policy: configuredPolicy([server.url]), tries: 1 });
after(() => client.close());

/** Puts a repository there whose advisories are a text; `isSaid` leaves their checksum out where it is false. */
function publish(place: string, updateinfo: string, { isSaid = true } = {}): void {
  const primary = '<metadata xmlns="http://linux.duke.edu/metadata/common" packages="0"></metadata>';
  const records = [
    ['primary', primary],
    ['updateinfo', updateinfo],
  ].map(([type = '', text = '']) => {
    const bytes = gzipSync(text);
    files.set(`${place}/repodata/${type}.xml.gz`, bytes);
    const checksum =
      type === 'updateinfo' && !isSaid ? '' : `<checksum type="sha256">${sha256(bytes)}</checksum>`;
    return `<data type="${type}">${checksum}<location href="repodata/${type}.xml.gz"/></data>`;
  });
  files.set(`${place}/repodata/repomd.xml`, Buffer.from(`<repomd>${records.join('')}</repomd>`));
}

async function advisoriesOf(cache: RepositoryCache, place: string): Promise<string> {
  const { signal } = new AbortController();
  const { repositories } = await cache.load(signal, `${server.url}${place}`, []);
  const [repository] = repositories;
  assert.ok(repository);
  return (await repository.readRecord('updateinfo')).toString();
}

const asked = (place: string): number =>
  server.asked.filter((path) => path === `${place}/repodata/updateinfo.xml.gz`).length;
const openCache = (): RepositoryCache => new RepositoryCache({ readUrl: repositoryReader(client) });

test('the advisories of a repository are fetched once, as long as repomd.xml says they are the same', async () => {
  const cache = openCache();
  publish('/advised', 'first');
  assert.deepEqual(
    [await advisoriesOf(cache, '/advised'), await advisoriesOf(cache, '/advised')],
    ['first', 'first'],
  );
  assert.equal(asked('/advised'), 1);
  assert.deepEqual(
    cache.measure().find(({ name }) => name === 'metadata files'),
    { name: 'metadata files', entries: 1, bytes: 5 },
  );
  publish('/advised', 'second');
  assert.equal(await advisoriesOf(cache, '/advised'), 'second');
  assert.equal(asked('/advised'), 2);
});

test('those of another repository are its own, though they look the same', async () => {
  const cache = openCache();
  for (const place of ['/left', '/right']) {
    publish(place, 'the same');
    await advisoriesOf(cache, place);
    assert.equal(asked(place), 1);
  }
});

test('what is damaged or has no checksum is not kept', async () => {
  const cache = openCache();
  publish('/damaged', 'right');
  files.set('/damaged/repodata/updateinfo.xml.gz', gzipSync('wrong'));
  await assert.rejects(advisoriesOf(cache, '/damaged'), { code: 'repodata.checksum_mismatch' });
  publish('/damaged', 'right');
  assert.equal(await advisoriesOf(cache, '/damaged'), 'right');
  publish('/silent', 'one', { isSaid: false });
  assert.equal(await advisoriesOf(cache, '/silent'), 'one');
  publish('/silent', 'two', { isSaid: false });
  assert.equal(await advisoriesOf(cache, '/silent'), 'two');
});

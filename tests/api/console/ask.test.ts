import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { after, test } from 'node:test';
import { Command } from '@commander-js/extra-typings';
import { bodyOfForm, queryOfRequest, readAskForm } from '../../../src/api/console/ask-form.ts';
import { recipesOf, type RecipeContext } from '../../../src/api/console/ask-recipes.ts';
import { createApp } from '../../../src/api/app.ts';
import type { ApiContext } from '../../../src/api/context.ts';
import { requestBody } from '../../../src/commands/compose-request.ts';
import { requestOptions } from '../../../src/commands/compose-request-options.ts';
import { findCompose } from '../../../src/database/composes.ts';
import { ReactorError } from '../../../src/model/errors.ts';
import { fingerprintOf } from '../../../src/model/fingerprint.ts';
import { readRule } from '../../rules/rule-text.ts';
import { givenCompose } from '../compose-rows.ts';
import { manifestHolding } from '../manifest-holding.ts';
import { openTestApi } from '../open-test-api.ts';

const api = await openTestApi();
after(() => api[Symbol.asyncDispose]());

const manifest = manifestHolding('ed-0:1.14.1-7.x86_64', 'sha256:7');
const plan: NonNullable<ApiContext['plan']> = async ({ request }) => {
  if (request.source.includes('nothing')) {
    throw new ReactorError('koji.tag_unknown', 'There is no tag "nothing".', { hint: 'Check its spelling.' });
  }
  return {
    fingerprint: fingerprintOf(manifest),
    manifest,
    warnings: ['It is <old>.'],
    bytes: 84_300_000,
    whyOf: (arch, file) => `${file} of ${arch} is input, it matches "ed".`,
  };
};
const app = createApp({ ...api.context, plan });

const filled = { type: 'tag', source: 'f44-updates', packages: 'ed\nvim curl', arches: 'x86_64' };
interface Sent {
  readonly fields?: Readonly<Record<string, string>>;
  readonly headers?: Readonly<Record<string, string>>;
}

async function send(more: Readonly<Record<string, string>>, { fields = filled, headers = {} }: Sent = {}) {
  const response = await app.request('http://odcs.example.com/console/ask', {
    method: 'POST',
    body: new URLSearchParams({ ...fields, ...more }).toString(),
    headers: {
      'Content-Type': 'application/x-www-form-urlencoded',
      Origin: 'http://odcs.example.com',
      ...headers,
    },
  });
  return { status: response.status, location: response.headers.get('location'), text: await response.text() };
}

async function countComposes(): Promise<number> {
  const { count } = await api.database.kysely
    .selectFrom('composes')
    .select(({ fn }) => fn.countAll<number>().as('count'))
    .executeTakeFirstOrThrow();
  return Number(count);
}

test('without script a form shows what it would hold, why, how much, the warnings, and the same for others', async () => {
  const before = await countComposes();
  const { status, text } = await send({ do: 'preview' });
  assert.equal(status, 200);
  assert.match(text, /It would hold 1 package, 84 MB\./);
  assert.match(text, /No living compose holds just this/);
  assert.match(text, /ed-1\.14\.1-7\.x86_64\.rpm of x86_64 is input, it matches &quot;ed&quot;\./);
  assert.match(text, /It is &lt;old&gt;\./);
  assert.match(text, /id="same-curl"[\s\S]*id="same-command"[\s\S]*id="same-rule"/);
  assert.match(text, /<textarea\s[^>]*name="packages"[^>]*>\s*ed\nvim curl<\/textarea/);
  assert.equal(await countComposes(), before);
});

test('a preview names the living compose that would be shown instead', async () => {
  const id = await givenCompose(api, {
    state: 'done',
    fingerprint: fingerprintOf(manifest),
    time_to_expire: new Date(api.now.getTime() + 3_600_000),
  });
  const { text } = await send({ do: 'preview' });
  assert.match(text, new RegExp(`Nothing would have to be made:\\s*<a href="/console/composes/${id}"`));
});

test('a form that is sent asks for its compose, once however often it is sent', async () => {
  const sent = await send({ do: 'ask', key: 'one-form' });
  assert.equal(sent.status, 303);
  const id = Number(sent.location?.split('/').at(-1));
  const compose = await findCompose(api.database.kysely, id);
  assert.deepEqual(compose?.request.packages, ['ed', 'vim', 'curl']);
  assert.equal((await send({ do: 'ask', key: 'one-form' })).location, sent.location);
  const other = await send({ do: 'ask', key: 'one-form', packages: 'ed' });
  assert.notEqual(other.location, sent.location);
});

test('a page of another site can neither ask nor plan', async () => {
  const before = await countComposes();
  for (const what of ['ask', 'preview']) {
    const { status, text } = await send({ do: what }, { headers: { Origin: 'https://evil.example' } });
    assert.equal(status, 403);
    assert.match(text, /request\.foreign_page/);
  }
  assert.equal(await countComposes(), before);
});

test('what is refused is said beside what was filled in', async () => {
  const wrong = await send({ do: 'ask' }, { fields: { ...filled, source: '', arches: 'x86 64!' } });
  assert.equal(wrong.status, 400);
  assert.match(wrong.text, /role="alert"/);
  assert.match(wrong.text, /value="x86 64!"/);
  const planned = await send({ do: 'preview' }, { fields: { ...filled, source: 'nothing' } });
  assert.match(planned.text, /There is no tag &quot;nothing&quot;\./);
  assert.match(planned.text, /id="same-curl"/);
});

test('a process without a composer says so, and still tells how to ask', async () => {
  const { text } = await api.call('POST', '/console/ask', {
    text: new URLSearchParams({ ...filled, do: 'preview' }).toString(),
  });
  assert.match(text, /request\.dry_run_unavailable/);
  assert.match(text, /id="same-command"/);
});

test('only who may ask for composes can, as whoever the proxy says', async () => {
  const strict = api.withSettings({
    auth_backend: 'kerberos',
    allowed_clients: { users: { alice: { source_types: ['tag'], sources: ['f44-updates'] } }, groups: {} },
  });
  const text = new URLSearchParams({ ...filled, do: 'ask' }).toString();
  const as = (user: string) => ({ text, headers: { 'X-Remote-User': `${user}@EXAMPLE.COM` } });
  assert.equal((await strict('POST', '/console/ask', { text })).status, 401);
  assert.equal((await strict('POST', '/console/ask', as('mallory'))).status, 403);
  const asked = await strict('POST', '/console/ask', as('alice'));
  assert.equal(asked.status, 303);
  const id = Number(asked.headers.get('location')?.split('/').at(-1));
  assert.equal((await findCompose(api.database.kysely, id))?.owner, 'alice');
  const other = new URLSearchParams({ ...filled, source: 'f43', do: 'ask' }).toString();
  assert.equal((await strict('POST', '/console/ask', { ...as('alice'), text: other })).status, 403);
});

test('a link fills the form, and one with a key that the form does not know is refused as a page', async () => {
  const { text } = await api.call('GET', '/console/ask?type=repo&source=https://x.example/&flags=no_deps');
  assert.match(text, /<option value="repo" selected/);
  assert.match(text, /value="https:\/\/x\.example\/"/);
  assert.match(text, /value="no_deps"\s*checked/);
  const wrong = await api.call('GET', '/console/ask?sorce=x');
  assert.equal(wrong.status, 400);
  assert.match(wrong.text, /did you mean &quot;source&quot;/);
});

test('a compose leads to the form that asks for the same again', async () => {
  const body = {
    source: { type: 'tag', source: 'f44', packages: ['ed'], sigkeys: ['6d9f90a6', ''] },
    flags: ['no_deps'],
    arches: ['x86_64', 's390x'],
    multilib_arches: ['x86_64'],
    multilib_method: ['runtime'],
  };
  const id = await givenCompose(api, {}, body);
  const compose = (await findCompose(api.database.kysely, id)) ?? assert.fail('there is no compose');
  const query = queryOfRequest(compose.request) ?? assert.fail('there is no link');
  assert.ok(
    (await api.call('GET', `/console/composes/${id}`)).text.includes('/console/ask?type=tag&amp;source=f44'),
  );
  assert.deepEqual(bodyOfForm(readAskForm(new URLSearchParams(query))), body);
});

const recipeContext: RecipeContext = { publicBase: 'https://odcs.example.com', auth: 'noauth', user: null };
const asks: readonly Readonly<Record<string, string>>[] = [
  { type: 'tag', source: 'f44-updates', packages: "ed it's", sigkeys: '6d9f90a6 unsigned', hours: '2.5' },
  { type: 'tag', source: 'f44 f44-updates', series: 'base', label: 'RC-1.0', flags: 'no_deps' },
  { type: 'repo', source: 'https://repo.example/$basearch/', packages: 'ed', multilib_arches: 'x86_64' },
  { type: 'module', source: 'nodejs:22' },
  { type: 'build', builds: 'ed-1.14.1-7.fc44' },
  { type: 'compose', source: 'f44-updates' },
  { type: 'compose', source: '17', koji_event: '123' },
];

/** The words that a shell makes of a command. */
function shellWords(command: string): readonly string[] {
  const text = execFileSync('sh', ['-c', `printf '%s\\0' ${command}`], { encoding: 'utf8' });
  return text.split('\0').slice(0, -1);
}

for (const fields of asks) {
  const body = bodyOfForm(readAskForm(new URLSearchParams(fields)));
  const { curl, command, rule } = recipesOf(recipeContext, body);

  test(`curl, the command and the rule ask for ${JSON.stringify(fields)}`, () => {
    const sent = shellWords(curl);
    assert.deepEqual(JSON.parse(sent[sent.indexOf('-d') + 1] ?? ''), body);
    assert.equal(sent.at(-1), 'https://odcs.example.com/api/1/composes/');
    const parser = requestOptions(
      new Command().arguments('[type] [source] [packages...]').option('--wait').option('--server <url>'),
    );
    parser.parse(shellWords(command).slice(3), { from: 'user' });
    assert.deepEqual(requestBody(parser.args, parser.opts()), body);
    const read = readRule(rule, `${/^name: (.*)$/m.exec(rule)?.[1]}.yaml`);
    const { series, ...compose } = body;
    assert.deepEqual(JSON.parse(JSON.stringify(read.compose)), compose);
    assert.equal(read.series, series ?? read.name);
  });
}

test('curl tells who asks in the way of the service', () => {
  const body = bodyOfForm(readAskForm(new URLSearchParams(filled)));
  const curlOf = (auth: RecipeContext['auth']) => recipesOf({ ...recipeContext, auth }, body).curl;
  assert.match(curlOf('kerberos'), /^curl --negotiate -u : -H/);
  assert.match(curlOf('openidc'), /^curl -H "Authorization: Bearer \$TOKEN" -H/);
  assert.match(curlOf('ssl'), /^curl --cert user\.pem -H/);
});

test('a command that is long stands in lines of its parts, a short one in one', () => {
  const commandOf = (fields: Readonly<Record<string, string>>): string =>
    recipesOf(recipeContext, bodyOfForm(readAskForm(new URLSearchParams(fields)))).command;
  const short = { type: 'tag', source: 'f44' };
  assert.equal(
    commandOf(short),
    'odcs-reactor compose create tag f44 --wait --server https://odcs.example.com',
  );
  assert.deepEqual(commandOf({ ...short, packages: 'httpd', arches: 'x86_64 aarch64' }).split(' \\\n  '), [
    'odcs-reactor compose create tag f44 httpd',
    '--arch x86_64 --arch aarch64',
    '--wait --server https://odcs.example.com',
  ]);
});

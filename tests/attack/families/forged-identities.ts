import type { Attack } from '../attack.ts';

const PROXY = '127.0.0.1';
const STRANGER = '127.0.0.2';

/** People who are not who they say they are. */
export const forgedIdentities: Attack = {
  name: 'forged-identities',
  faults: ['A12'],
  does: 'Forges users, groups and forwarding headers, from a stranger and through a proxy, and foreign origins.',
  secondSettings: {
    ODCS_AUTH_BACKEND: 'kerberos',
    ODCS_TRUSTED_PROXIES: PROXY,
    ODCS_ALLOWED_CLIENTS: JSON.stringify({ users: { alice: {} }, groups: { releng: {} } }),
    ODCS_ADMINS: JSON.stringify({ users: ['root'], groups: ['admins'] }),
    ODCS_EVENT_TOKEN: 'a token nobody knows',
  },
  async run(context) {
    const url = context.secondUrl;
    const body = JSON.stringify({ source: { type: 'tag', source: 'bait', packages: ['a'] } });
    const post = (from: string, headers: Record<string, string>) =>
      context.ask('POST', '/api/1/composes/', { body, headers, from, url });
    const asked = await post(PROXY, { 'X-Remote-User': 'alice@EXAMPLE.COM' });
    if (asked?.status !== 200)
      throw new Error(`alice may not ask: ${asked?.status ?? 'no answer'} ${asked?.text ?? ''}`);
    const forged: [string, Record<string, string>][] = [
      [STRANGER, { 'X-Remote-User': 'alice@EXAMPLE.COM' }],
      [STRANGER, { 'X-Remote-User': 'alice@EXAMPLE.COM', 'X-Forwarded-For': PROXY }],
      [STRANGER, { REMOTE_USER: 'alice', X_Remote_User: 'alice@EXAMPLE.COM', 'X-Real-IP': PROXY }],
      [PROXY, {}],
      [PROXY, { 'X-Remote-User': '' }],
      [PROXY, { 'X-Remote-User': 'alice' }],
      [PROXY, { 'X-Remote-User': 'mallory@EXAMPLE.COM' }],
      [PROXY, { 'X-Remote-User': 'mallory@EXAMPLE.COM', 'X-Remote-Groups': 'not releng' }],
      [PROXY, { 'X-Remote-User': 'mallory@EXAMPLE.COM', 'X-Remote-Groups': '__proto__,constructor' }],
      [PROXY, { 'X-Remote-User': 'ALICE@EXAMPLE.COM' }],
      [PROXY, { 'X-Remote-User': 'alice@EXAMPLE.COM, root@EXAMPLE.COM' }],
      [PROXY, { 'X-Remote-User': '__proto__@EXAMPLE.COM' }],
      [PROXY, { 'X-SSL-Client-Verify': 'SUCCESS', 'X-SSL-Client-S-DN': 'CN=alice' }],
      [PROXY, { 'OIDC-Access-Token': 'a', 'OIDC-Claim-Scope': 'https://pagure.io/odcs/new-compose' }],
      [PROXY, { 'X-Remote-User': 'alice@EXAMPLE.COM', Origin: 'http://other.invalid' }],
      [PROXY, { 'X-Remote-User': 'alice@EXAMPLE.COM', Origin: 'null' }],
      [
        PROXY,
        { 'X-Remote-User': 'alice@EXAMPLE.COM', Origin: 'http://other.invalid', Host: 'other.invalid' },
      ],
    ];
    for (const [from, headers] of forged) {
      if (context.signal.aborted) return;
      const answer = await post(from, headers);
      if (answer !== null && answer.status < 400) {
        context.report('escaped', `${from} ${JSON.stringify(headers)} was let in: ${answer.status}`);
      }
    }
    const id = /"id":\s?(\d+)/.exec(asked.text)?.[1] ?? '1';
    for (const user of ['mallory@EXAMPLE.COM', 'admins@EXAMPLE.COM', 'root']) {
      const headers = { 'X-Remote-User': user };
      const answer = await context.ask('DELETE', `/api/1/composes/${id}`, {
        headers,
        from: PROXY,
        url,
      });
      if (answer !== null && answer.status < 400)
        context.report('escaped', `${user} removed the compose of alice`);
    }
    const event = JSON.stringify({ topic: 'repo.changed', body: { repo: '/a' } });
    const tokens: Record<string, string>[] = [
      {},
      { Authorization: 'Bearer ' },
      { Authorization: 'Bearer undefined' },
      { 'X-Hub-Signature-256': `sha256=${'0'.repeat(64)}` },
      { 'X-Forwarded-For': PROXY },
    ];
    for (const headers of tokens) {
      const answer = await context.ask('POST', '/api/1/events', {
        body: event,
        headers,
        from: PROXY,
        url,
      });
      if (answer !== null && answer.status < 400)
        context.report('escaped', `an event was taken for ${JSON.stringify(headers)}`);
    }
    const ofDirectory = JSON.stringify({
      source: { type: 'repo', source: context.goodRepository, packages: ['curl'] },
    });
    const remote = { 'X-Remote-User': 'alice@EXAMPLE.COM', 'X-Forwarded-For': '192.0.2.1' };
    const answer = await context.ask('POST', '/api/1/composes/', {
      body: ofDirectory,
      headers: remote,
      from: PROXY,
      url,
    });
    if (answer !== null && answer.status < 400) {
      context.report('escaped', 'a client of another machine named a directory of this one');
    }
  },
};

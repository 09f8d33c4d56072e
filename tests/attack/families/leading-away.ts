import type { Attack } from '../attack.ts';
import type { Serve } from '../hostile-upstream.ts';
import { repositoryFiles, type HostilePackage } from '../repository-files.ts';

const MOST_HOPS = 20;

/** Repositories that send the service where it may not go. */
export const leadingAway: Attack = {
  name: 'leading-away',
  faults: ['A4'],
  does: 'Redirects repositories and packages to hosts and ports that are not allowed, and points there in metadata.',
  async run(context) {
    const { upstream, secretFile } = context;
    const redirect =
      (to: (path: string) => string, status: number): Serve =>
      (path, response) => {
        response.writeHead(status, { Location: to(path) }).end();
      };
    const files = (packages: readonly HostilePackage[]): string =>
      upstream.serveFiles(repositoryFiles(packages));
    const status = context.random.pick([301, 302, 303, 307, 308]);
    const forbiddenPort = new URL(upstream.forbidden).port;
    const good = repositoryFiles([{}]);
    let hops = 0;
    const loop: string = upstream.serve((path, response) => {
      hops += 1;
      response.writeHead(302, { Location: `${loop}/${path}?${hops}` }).end();
    });
    const sources: Record<string, string> = {
      'a redirect to a forbidden host': upstream.serve(
        redirect((path) => `${upstream.forbidden}/${path}`, status),
      ),
      'a redirect to another port': upstream.serve(
        redirect((path) => `${upstream.otherPort}/${path}`, status),
      ),
      'a redirect with user information': upstream.serve(
        redirect((path) => `http://localhost@127.0.0.9:${forbiddenPort}/${path}`, status),
      ),
      'a redirect to a file': upstream.serve(redirect(() => `file://${secretFile}`, status)),
      'a redirect without end': loop,
      'a redirect of packages only': upstream.serve((path, response) => {
        const bytes = path.endsWith('.rpm') ? undefined : good.get(path);
        if (bytes !== undefined) response.end(bytes);
        else response.writeHead(status, { Location: `${upstream.forbidden}/${path}` }).end();
      }),
      'xml:base to another port': files([{ base: `${upstream.otherPort}/secret/`, digestType: 'sha1' }]),
      'xml:base to a forbidden host': files([{ base: `${upstream.forbidden}/secret/`, digestType: 'sha1' }]),
      'a whole URL as location': files([{ href: `${upstream.forbidden}/bait-1.0-1.noarch.rpm` }]),
      'a location without scheme': files([{ href: `//127.0.0.9:${forbiddenPort}/bait-1.0-1.noarch.rpm` }]),
      'xml:base to a file': files([{ base: `file://${secretFile}` }]),
      'a location that climbs': files([{ href: '../../../bait-1.0-1.noarch.rpm' }]),
      'a location that climbs in disguise': files([{ href: '%2e%2e/%2e%2e/bait-1.0-1.noarch.rpm' }]),
      'metadata that climb': upstream.serveFiles(repositoryFiles([{}], { href: '../../primary.xml.gz' })),
      'metadata elsewhere': upstream.serveFiles(
        repositoryFiles([{}], { href: `${upstream.forbidden}/primary.xml.gz` }),
      ),
    };
    const names = Object.keys(sources);
    const chosen = context.isShort ? [...names.slice(0, 2), ...names.slice(5, 7)] : names;
    for (const name of chosen) {
      if (context.signal.aborted) return;
      const seen = upstream.contacts.length;
      const request = { source: { type: 'repo', source: sources[name], packages: ['bait'] } };
      await context.compose(request, context.isShort ? 6 : 20);
      const contact = upstream.contacts[seen];
      if (contact !== undefined) context.report('escaped', `${name}: the service asked ${contact}`);
    }
    if (hops > MOST_HOPS) context.report('overLimit', `a redirect without end was followed ${hops} times`);
    const addresses = [
      '127.1',
      '0x7f000009',
      '2130706441',
      '[::ffff:127.0.0.9]',
      'localhost.',
      'localhost@127.0.0.9',
    ];
    for (const address of addresses) {
      const source = `http://${address}:${forbiddenPort}/`;
      const answer = await context.ask('POST', '/api/1/composes/', {
        body: JSON.stringify({ source: { type: 'repo', source, packages: ['bait'] } }),
      });
      if (answer?.status === 200) context.report('escaped', `${source} was let in`);
    }
  },
};

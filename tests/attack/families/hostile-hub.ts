import type { Attack } from '../attack.ts';
import { pour, type Serve } from '../hostile-upstream.ts';

const MEGABYTE = 2 ** 20;
const head = '<?xml version="1.0"?><methodResponse><params><param><value>';
const MOST_PROCESSOR_SECONDS = 20;

function say(text: string | Buffer): Serve {
  return (_path, response) => {
    response.writeHead(200, { 'Content-Type': 'text/xml' }).end(text);
  };
}

/** A Koji hub that answers everything but what it was asked. */
export const hostileHub: Attack = {
  name: 'hostile-hub',
  faults: ['A3', 'A5'],
  does: 'Lets the Koji hub answer without end, nested without end, with faults that are none and with damage.',
  async run(context) {
    const { upstream, isShort } = context;
    const text = Buffer.alloc(64 * 1024, 'a');
    const answers: Record<string, Serve> = {
      'a text without end': async (_path, response) => {
        response.writeHead(200, { 'Content-Type': 'text/xml' });
        response.write(`${head}<string>`);
        await pour(response, text, (isShort ? 24 : 48) * MEGABYTE);
      },
      'arrays 300,000 deep': say(`${head}${'<array><data><value>'.repeat(300_000)}`),
      'a struct of a million members': say(
        `${head}<struct>${'<member><name>__proto__</name><value><int>1</int></value></member>'.repeat(isShort ? 100_000 : 400_000)}</struct></value></param></params></methodResponse>`,
      ),
      'a tag that does not end': say(`${head}<${'i'.repeat(8 * MEGABYTE)}`),
      'a document type': say(
        `<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b "c">]>${head}&b;</value></param></params></methodResponse>`,
      ),
      'a fault that is none': say(
        '<?xml version="1.0"?><methodResponse><fault><value><int>1</int></value></fault></methodResponse>',
      ),
      nothing: say(''),
      'a redirect': (_path, response) => {
        response.writeHead(307, { Location: `${upstream.forbidden}/hub` }).end();
      },
    };
    const names = Object.keys(answers);
    for (const name of isShort ? [...names.slice(0, 1), ...names.slice(-1)] : names) {
      if (context.signal.aborted) break;
      const seen = upstream.contacts.length;
      const before = context.processorSeconds();
      upstream.setHub(answers[name] ?? null);
      await context.compose(
        { source: { type: 'tag', source: `bait-${context.random.below(1e6)}`, packages: ['a'] } },
        isShort ? 20 : 40,
      );
      const used = (context.processorSeconds() ?? 0) - (before ?? 0);
      if (before !== null && used > MOST_PROCESSOR_SECONDS) {
        context.report('overLimit', `${name}: the hub's answer cost ${used.toFixed(0)} s of processor time`);
      }
      const contact = upstream.contacts[seen];
      if (contact !== undefined) context.report('escaped', `${name}: the service asked ${contact}`);
    }
    upstream.setHub(null);
  },
};

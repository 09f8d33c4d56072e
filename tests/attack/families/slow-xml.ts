import type { Attack } from '../attack.ts';
import { primaryXml, repositoryFiles } from '../repository-files.ts';

function inPrimary(text: string): Map<string, Buffer> {
  return repositoryFiles([{}], { bytes: Buffer.from(text), suffix: '', href: 'repodata/primary.xml' });
}

/** Metadata that cost more the longer they are: quadratic scans, depth, entities. */
export const slowXml: Attack = {
  name: 'slow-xml',
  faults: ['A3'],
  does: 'Serves repomd.xml and primary.xml made to be slow: repeated attributes, unclosed tags, depth, entities.',
  async run(context) {
    const repeated = ` x="${' href= '.repeat(context.isShort ? 60_000 : 90_000)}"`;
    const honest = primaryXml([{}]);
    const open = '<a>'.repeat(200_000);
    const entities = `<!DOCTYPE a [<!ENTITY b "bbbbbbbbbb">${Array.from({ length: 12 }, (_, at) => `<!ENTITY b${at} "${`&b${at === 0 ? '' : at - 1};`.repeat(10)}">`).join('')}]>`;
    const repomd = repositoryFiles([{}], { locationExtra: repeated });
    const documents: Record<string, Map<string, Buffer>> = {
      'repeated attributes in primary.xml': repositoryFiles([{ locationExtra: repeated }]),
      'repeated attributes in repomd.xml': repomd,
      'a tag that does not end': inPrimary(
        honest.replace('<location', `<location${' a="b"'.repeat(150_000)}`),
      ),
      'a quote that does not end': inPrimary(
        honest.replace('<location', `<location x="${'<location '.repeat(60_000)}`),
      ),
      'a comment that does not end': inPrimary(
        honest.replace('<summary>', `<summary>${'<!-- '.repeat(100_000)}`),
      ),
      'CDATA that does not end': inPrimary(
        honest.replace('<summary>', `<summary>${'<![CDATA['.repeat(80_000)}`),
      ),
      'tags 200,000 deep': inPrimary(honest.replace('<format>', `<format>${open}`)),
      'packages that do not end': inPrimary(
        honest.replace('</package>', '<package type="rpm">'.repeat(50_000)),
      ),
      'entities of entities': inPrimary(
        honest.replace('?>', `?>${entities}`).replace('<summary>bait', '<summary>&b11;'),
      ),
      'ampersands without end': inPrimary(honest.replace('<summary>bait', `<summary>${'&'.repeat(500_000)}`)),
    };
    const names = Object.keys(documents);
    const chosen = context.isShort ? names.slice(0, 2) : names;
    for (const name of chosen) {
      if (context.signal.aborted) return;
      const files = documents[name] ?? new Map();
      const before = context.processorSeconds();
      const source = context.upstream.serveFiles(files);
      await context.compose(
        { source: { type: 'repo', source, packages: ['bait'] } },
        context.isShort ? 25 : 45,
      );
      const used = (context.processorSeconds() ?? 0) - (before ?? 0);
      const size = Math.max(...[...files.values()].map((bytes) => bytes.length));
      if (before !== null && used > 20) {
        context.report(
          'overLimit',
          `${name}: at most ${size} bytes cost ${used.toFixed(0)} s of processor time`,
        );
      }
    }
  },
};

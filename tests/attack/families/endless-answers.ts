import { gzipSync, zstdCompressSync } from 'node:zlib';
import type { Attack, AttackContext } from '../attack.ts';
import { pour, type Serve } from '../hostile-upstream.ts';
import { repositoryFiles } from '../repository-files.ts';

const MEGABYTE = 2 ** 20;
/** What lies in the buffers of two sockets may be sent beyond what is read. */
const SLACK = 16 * MEGABYTE;
const chunk = Buffer.alloc(256 * 1024, 'x');

/** Serves the files, but pours without end for one path; `onSent` gets the bytes that went away. */
function pourFor(
  files: ReadonlyMap<string, Buffer>,
  path: string,
  most: number,
  onSent: (bytes: number) => void,
): Serve {
  return async (asked, response) => {
    if (asked === path) await pour(response, chunk, most, onSent);
    else response.end(files.get(asked) ?? '');
  };
}

async function askAndWatch(
  context: AttackContext,
  what: string,
  limit: number,
  make: (onSent: (bytes: number) => void) => Serve,
): Promise<void> {
  if (context.signal.aborted) return;
  let most = 0;
  const source = context.upstream.serve(make((bytes) => (most = Math.max(most, bytes))));
  await context.compose({ source: { type: 'repo', source, packages: ['bait'] } }, context.isShort ? 8 : 30);
  if (most > limit + SLACK) {
    context.report(
      'overLimit',
      `${what}: ${(most / MEGABYTE).toFixed(0)} MiB were taken of at most ${(limit / MEGABYTE).toFixed(1)}`,
    );
  }
}

/** Bodies that do not end, or grow when they are unpacked. */
export const endlessAnswers: Attack = {
  name: 'endless-answers',
  faults: ['A5'],
  does: 'Pours packages and metadata without end, and serves bombs of gzip and zstd.',
  async run(context) {
    const { isShort, upstream } = context;
    const small = repositoryFiles([{ size: 100 }]);
    await askAndWatch(context, 'a package of 100 bytes', 100, (onSent) =>
      pourFor(small, 'bait-1.0-1.noarch.rpm', (isShort ? 64 : 256) * MEGABYTE, onSent),
    );
    const repomd = repositoryFiles([{}]);
    await askAndWatch(context, 'repomd.xml', 16 * MEGABYTE, (onSent) =>
      pourFor(repomd, 'repodata/repomd.xml', 128 * MEGABYTE, onSent),
    );
    if (!isShort) {
      const huge = repositoryFiles([{}], { size: 999_999_999_999_999 });
      await askAndWatch(context, 'primary.xml', 1024 * MEGABYTE, (onSent) =>
        pourFor(huge, 'repodata/primary.xml.gz', 1200 * MEGABYTE, onSent),
      );
    }
    const zeros = Buffer.alloc(16 * MEGABYTE);
    const parts = isShort ? 40 : 90;
    const bombs: Record<string, Buffer> = {
      gz: Buffer.concat(Array<Buffer>(parts).fill(gzipSync(zeros))),
      zst: Buffer.concat(Array<Buffer>(parts).fill(zstdCompressSync(zeros))),
    };
    for (const [suffix, bytes] of Object.entries(bombs)) {
      for (const openSize of [bytes.length, parts * zeros.length]) {
        if (context.signal.aborted) return;
        const files = repositoryFiles([{}], { bytes, suffix, openSize });
        const source = upstream.serveFiles(files);
        await context.compose({ source: { type: 'repo', source, packages: ['bait'] } }, isShort ? 8 : 30);
      }
    }
    const packed = bombs['gz'] ?? zeros;
    upstream.setModuleService((_path, response) => {
      response.writeHead(200, { 'Content-Type': 'application/json', 'Content-Encoding': 'gzip' }).end(packed);
    });
    await context.compose({ source: { type: 'module', source: 'bait:1' } }, isShort ? 6 : 30);
    upstream.setModuleService(null);
  },
};

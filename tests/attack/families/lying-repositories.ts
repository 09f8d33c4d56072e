import { join } from 'node:path';
import type { Attack } from '../attack.ts';
import { repositoryFiles, smallRpm, writeFiles } from '../repository-files.ts';

/** Packages whose bytes are not those the metadata promise. */
export const lyingRepositories: Attack = {
  name: 'lying-repositories',
  faults: ['A9'],
  does: 'Offers packages that are not what their metadata say, on disk and over HTTP.',
  async run(context) {
    const { directory, upstream } = context;
    // Each has a name of its own, lest one compose is reused for the other.
    const change = (name: string): Map<string, Buffer> => {
      const bytes = smallRpm(name);
      const files = repositoryFiles([{ name, bytes }]);
      const changed = Buffer.from(bytes);
      changed[changed.length - 1] = (changed.at(-1) ?? 0) ^ 0xff;
      return files.set(`${name}-1.0-1.noarch.rpm`, changed);
    };
    const local = join(directory, 'changed');
    writeFiles(local, change('on-disk'));
    const otherPrimary = repositoryFiles([{ name: 'exchanged' }]);
    const exchanged = repositoryFiles([{ name: 'other' }]).get('repodata/primary.xml.gz');
    otherPrimary.set('repodata/primary.xml.gz', exchanged ?? Buffer.alloc(0));
    const sources = {
      'a changed byte on disk': local,
      'a changed byte over HTTP': upstream.serveFiles(change('over-http')),
      'a wrong digest over HTTP': upstream.serveFiles(
        repositoryFiles([{ name: 'wrong-digest', digest: 'a'.repeat(64) }]),
      ),
      'a primary.xml of another digest': upstream.serveFiles(otherPrimary),
    };
    for (const [what, source] of Object.entries(sources)) {
      if (context.signal.aborted) return;
      const ended = await context.compose(
        { source: { type: 'repo', source, packages: ['*'] } },
        context.isShort ? 3 : 30,
      );
      if (ended?.state === 'done') context.report('escaped', `${what}: compose ${ended.id} is done`);
    }
  },
};

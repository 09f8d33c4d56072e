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
    const honest = smallRpm('bait');
    const changed = Buffer.from(honest);
    changed[changed.length - 1] = (changed.at(-1) ?? 0) ^ 0xff;
    const digestOfHonest = repositoryFiles([{ bytes: honest }]);
    digestOfHonest.set('bait-1.0-1.noarch.rpm', changed);
    const local = join(directory, 'changed');
    writeFiles(local, digestOfHonest);
    const wrongDigest = repositoryFiles([{ digest: 'a'.repeat(64) }]);
    const wrongPrimary = repositoryFiles([{}]);
    wrongPrimary.set(
      'repodata/primary.xml.gz',
      repositoryFiles([{ name: 'other' }]).get('repodata/primary.xml.gz') ?? honest,
    );
    const sources = {
      'a changed byte on disk': local,
      'a changed byte over HTTP': upstream.serveFiles(digestOfHonest),
      'a wrong digest over HTTP': upstream.serveFiles(wrongDigest),
      'a primary.xml of another digest': upstream.serveFiles(wrongPrimary),
    };
    for (const [what, source] of Object.entries(sources)) {
      if (context.signal.aborted) return;
      const ended = await context.compose(
        { source: { type: 'repo', source, packages: ['*'] } },
        context.isShort ? 6 : 30,
      );
      if (ended?.state === 'done') context.report('escaped', `${what}: compose ${ended.id} is done`);
    }
  },
};

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Ending } from '../ending.ts';
import { buildCompose } from '../../src/composer/build/build.ts';
import { PlacingThread } from '../../src/composer/build/placing-thread.ts';
import type { OutputSettings, ReadyPlan } from '../../src/composer/plan.ts';
import { BlockCache } from '../../src/rpm/repodata/block-cache.ts';

/** Builds a plan whose packages are files of this machine, as compose 1; returns its directory. */
export async function buildPlan(context: Ending, output: OutputSettings, plan: ReadyPlan): Promise<string> {
  const directory = mkdtempSync(join(tmpdir(), 'odcs-built-'));
  const placing = new PlacingThread();
  context.after(async () => {
    await placing[Symbol.asyncDispose]();
    rmSync(directory, { recursive: true });
  });
  const identity = {
    name: 'odcs-1',
    date: '20261122',
    type: 'test',
    respin: 0,
    label: null,
    timestamp: 1_795_333_741,
    ...(plan.selection.release === null ? {} : { release: plan.selection.release }),
  };
  await buildCompose(
    {
      signal: new AbortController().signal,
      progress: () => undefined,
      output,
      blocks: new BlockCache(),
      placing,
      localPathOf: ({ origin }) =>
        origin.kind === 'file'
          ? Promise.resolve(origin.path)
          : Promise.reject(new Error(`${origin.url} is no file of this machine`)),
    },
    { plan, identity, place: { toplevelUrl: 'http://localhost/composes/odcs-1' } },
    directory,
  );
  return directory;
}

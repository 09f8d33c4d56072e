import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Ending } from '../../ending.ts';
import { buildCompose } from '../../../src/composer/build/build.ts';
import type { ModuleResources } from '../../../src/composer/modules/select-modules.ts';
import { createModuleSource } from '../../../src/composer/sources/module/module-source.ts';
import { PlacingThread } from '../../../src/composer/build/placing-thread.ts';
import { planCompose, type ReadyPlan } from '../../../src/composer/plan.ts';
import type { SelectContext } from '../../../src/composer/selection.ts';
import { PackageStore } from '../../../src/cache/package-store.ts';
import { Koji } from '../../../src/composer/koji/koji.ts';
import { createLog } from '../../../src/log.ts';
import type { ComposeRequest } from '../../../src/model/compose.ts';
import { BlockCache } from '../../../src/rpm/repodata/block-cache.ts';
import { connectMbs } from '../../../src/upstream/mbs.ts';
import { defaultRequest } from '../../default-request.ts';
import { sharedPath } from '../../shared.ts';
import { readMbsItems, startFakeMbs, type MbsItem } from '../../upstream/fake-mbs.ts';
import { readModuleHubData, startModuleHub, type ModuleHubData } from '../../upstream/koji/module-hub.ts';

const NOW = new Date('2026-01-01T00:00:00Z');

/** A request for modules with everything else at its default. */
export function moduleRequest(source: string, more: Partial<ComposeRequest> = {}): ComposeRequest {
  return {
    ...defaultRequest,
    sourceType: 'module',
    source: source.split(' ').filter(Boolean),
    multilibMethods: [],
    ...more,
  };
}

export interface ModuleComposer {
  readonly resources: ModuleResources;
  readonly selectContext: SelectContext;
  plan(request: ComposeRequest): Promise<ReadyPlan>;
  /** Writes the compose. Returns its directory. */
  build(plan: ReadyPlan): Promise<string>;
}

export interface ModuleWorld {
  readonly items?: readonly MbsItem[];
  readonly koji?: ModuleHubData;
  readonly gitAllowedUrls?: readonly string[];
  readonly finalModulemd?: Readonly<Record<number, Readonly<Record<string, string>>>>;
}

/** Composes modules out of the fixture's MBS and Koji over HTTP and its top directory, as the service does. */
export async function startModuleComposer(context: Ending, world: ModuleWorld = {}): Promise<ModuleComposer> {
  const directory = mkdtempSync(join(tmpdir(), 'module-compose-'));
  const fake = await startFakeMbs(context, world.items ?? readMbsItems('fixture'), world.finalModulemd);
  const { server } = await startModuleHub(context, world.koji ?? readModuleHubData('fixture'));
  const koji = new Koji({
    profile: {
      name: 'koji',
      server: server.url,
      topDir: sharedPath('modules/fixture/koji-topdir'),
      topUrl: null,
      serverCa: null,
      files: [],
    },
    store: new PackageStore(join(directory, 'store')),
    indexDirectory: join(directory, 'index'),
    clock: { now: () => NOW },
    lookaside: { open: async (place) => place },
    isReference: false,
  });
  context.after(() => {
    koji[Symbol.dispose]();
    rmSync(directory, { recursive: true });
  });
  const resources: ModuleResources = {
    mbs: connectMbs({ url: fake.url }),
    koji,
    baseModuleNames: ['platform', 'bootstrap'],
    gitAllowedUrls: world.gitAllowedUrls ?? [],
  };
  const output = { delivery: 'link', compression: 'gzip' } as const;
  const { signal } = new AbortController();
  const selectContext = { log: createLog('silent'), signal, progress: () => undefined };
  const common = { ...selectContext, output };
  const placing = new PlacingThread();
  context.after(() => placing[Symbol.asyncDispose]());
  let count = 0;
  return {
    resources,
    selectContext,
    plan: (request) =>
      planCompose({ ...common, sources: { module: createModuleSource(resources) } }, request),
    async build(plan) {
      count += 1;
      const name = `odcs-${count}`;
      const identity = {
        name,
        date: '20260101',
        type: 'test',
        respin: 0,
        label: null,
        timestamp: NOW.getTime() / 1000,
      };
      const localPathOf = async (rpm: { origin: { kind: string; path?: string } }): Promise<string> =>
        rpm.origin.path ?? '';
      const target = join(directory, name);
      mkdirSync(target);
      const toplevelUrl = `http://localhost/${name}`;
      await buildCompose(
        { ...common, blocks: new BlockCache(), placing, localPathOf },
        { plan, identity, place: { toplevelUrl } },
        target,
      );
      return target;
    },
  };
}

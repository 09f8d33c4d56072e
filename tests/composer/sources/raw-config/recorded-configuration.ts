import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import type { ComposeRequest } from '../../../../src/model/compose.ts';
import type { XmlRpcValue } from '../../../../src/upstream/koji/xml-rpc-value.ts';
import type { Ending } from '../../../ending.ts';
import { filesOf, readVectors, universe, type MainVector } from '../../main/recorded-vectors.ts';
import { startModuleHub, type ModuleHubData } from '../../../upstream/koji/module-hub.ts';

type Row = Readonly<Record<string, XmlRpcValue>>;

const row = z.record(z.string(), z.custom<XmlRpcValue>());
const stateSchema = z.object({
  builds: z.record(z.string(), row),
  rpms: z.record(z.string(), z.array(row)),
  tags: z.record(z.string(), z.array(z.string())),
  inheritance: z.record(z.string(), z.array(z.string())),
  module_builds: z.array(row),
  module_tags: z.record(z.string(), z.array(z.string())),
  archives: z.record(z.string(), z.array(row)),
});

/** The hub that the main composes were recorded with. */
export async function startMainHub(context: Ending): Promise<{ readonly url: string }> {
  const { server } = await startModuleHub(context, readHub());
  return server;
}

function readHub(): ModuleHubData {
  const state = stateSchema.parse(JSON.parse(readFileSync(join(universe, 'koji-state.json'), 'utf8')));
  const builds: Row[] = [
    ...Object.values(state.builds).map((build) => ({ ...build, extra: null })),
    ...state.module_builds,
  ];
  const idOf = new Map(builds.map((build) => [String(build['nvr']), Number(build['build_id'])]));
  const listed = { ...state.tags, ...state.module_tags };
  const tags = Object.entries(listed).map(([tag, nvrs]) => {
    const ids = nvrs.map((nvr) => idOf.get(nvr) ?? 0);
    return [tag, { parents: state.inheritance[tag] ?? [], builds: ids }] as const;
  });
  return {
    event: { id: 1000, ts: 1_794_000_000 },
    builds: builds.map((build) => ({
      ...build,
      id: build['build_id'] ?? 0,
      name: build['package_name'] ?? '',
    })),
    archives: state.archives,
    rpms: Object.values(state.rpms).flat(),
    tags: Object.fromEntries(tags),
  };
}

/** A recorded main compose. */
export function vectorOf(name: string): MainVector {
  const vector = readVectors().find((recorded) => recorded.name === name);
  if (vector === undefined) throw new Error(`no compose ${name} was recorded`);
  return vector;
}

/** Returns what the command line of a record is in a request. */
export function requestOfRecord({ args, files }: MainVector): Pick<ComposeRequest, 'label' | 'composeType'> {
  const label = args.includes('--label') ? (args[args.indexOf('--label') + 1] ?? '') : null;
  const configured = /^compose_type = "(\w+)"/m.exec(files['fixture.conf'] ?? '')?.[1];
  const asked = args.find((word) => ['--test', '--nightly', '--production'].includes(word))?.slice(2);
  return { label, composeType: asked ?? configured ?? 'test' };
}

/** A git repository of configurations. */
export interface ConfigurationRepository {
  readonly url: string;
  /** Commits the files of a recorded compose, changed by `change`; returns the hash. */
  readonly commit: (vector: MainVector, change?: (text: string) => string) => string;
}

/** Makes a git repository whose configurations lie below `configs`. */
export function makeConfigurationRepository(context: Ending): ConfigurationRepository {
  const url = mkdtempSync(join(tmpdir(), 'raw-config-'));
  context.after(() => rmSync(url, { recursive: true }));
  const git = (...args: string[]): string =>
    execFileSync('git', ['-c', 'user.name=t', '-c', 'user.email=t@example.com', ...args], {
      cwd: url,
      encoding: 'utf8',
    }).trim();
  git('init', '--quiet', '--initial-branch=main');
  return {
    url,
    commit(vector, change = (text) => text) {
      const files = filesOf(vector);
      for (const path of Object.keys(vector.files)) {
        const place = join(url, 'configs', path);
        mkdirSync(dirname(place), { recursive: true });
        const text = Buffer.from(files.read(path) ?? '').toString('utf8');
        writeFileSync(place, path === 'fixture.conf' ? change(text) : text);
      }
      git('add', '.');
      git('commit', '--quiet', '--allow-empty', '-m', vector.name);
      return git('rev-parse', 'HEAD');
    },
  };
}

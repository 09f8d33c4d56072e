import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { planCompose, type ReadyPlan } from '../../../src/composer/plan.ts';
import type { SourceContext } from '../../../src/composer/sources/source-definition.ts';
import { createLog } from '../../../src/log.ts';
import type { ComposeRequest } from '../../../src/model/compose.ts';
import type { SourceType } from '../../../src/source-types.ts';
import { config, folder, openTrialSource } from './source-trials.ts';

/** What a source is asked, and what it is opened with. */
export interface Question {
  readonly context: Partial<SourceContext>;
  readonly request: ComposeRequest;
}

/** Why a source cannot be asked this. */
export type NotAsked = string;

/** Opens the source of a type and plans what it is asked. */
export async function planAsked(type: SourceType, { context, request }: Question): Promise<ReadyPlan> {
  const { signal } = new AbortController();
  const output = { delivery: 'link', compression: 'zstd' } as const;
  const sources = { [type]: await openTrialSource(type, context) };
  const planning = { log: createLog('silent'), signal, progress: () => undefined, sources, output };
  return planCompose(planning, request);
}

/** Opens the definitions of a directory with one definition in it. */
export function defined(name: string, inputs: string, more: string): Pick<SourceContext, 'config'> {
  writeFileSync(
    join(folder, `${name}.yaml`),
    `version: 1
name: ${name}
release: { name: Product, short: Product, version: "1" }
arches: [x86_64, ppc64le]
inputs: ${inputs}
gather: { check_deps: false }
variants:
  Everything: { ${more} }
`,
  );
  return { config: { ...config, koji_profile: 'koji', definitions_dir: folder } };
}

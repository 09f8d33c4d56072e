import { findComposeOfInputs, type ComposeOfInputs } from '../database/composes-of-inputs.ts';
import type { ComposeRequest } from '../model/compose.ts';
import { planContext, type ComposerContext } from './composer-context.ts';
import { instrumentPlan, makePlan, planCompose, type ReadyPlan } from './plan.ts';
import { isPublished } from './publish.ts';
import type { SelectContext, SelectionPins } from './selection.ts';
import type { SignedPlace } from './signing/metadata-key.ts';

/** What a plan would say, known without making it: a living compose was planned from the same inputs, or for the same. */
export interface KnownPlan {
  readonly request: ComposeRequest;
  readonly fingerprint: string;
  /** As the inputs are now. */
  readonly pins: SelectionPins;
  /** Digest of what it was planned from, where that is known. */
  readonly inputs: string | null;
  readonly same: ComposeOfInputs;
}

export function isKnownPlan(plan: ReadyPlan | KnownPlan): plan is KnownPlan {
  return 'same' in plan;
}

/**
 * Plans a request, or finds a living compose that was planned from the same inputs: nothing is selected then. Throws what
 * `planCompose` throws.
 */
export async function planUnlessKnown(
  context: ComposerContext,
  place: SignedPlace,
  select: SelectContext,
  request: ComposeRequest,
): Promise<ReadyPlan | KnownPlan> {
  if (request.flags.includes('no_reuse')) return planCompose(planContext(context, place, select), request);
  let known: KnownPlan | undefined;
  const noteInputs: SelectContext['noteInputs'] = async ({ digest: inputs, pins }) => {
    const same = await findLiving(context, inputs, request.targetDir);
    if (same === undefined || same.compose.fingerprint === null) return;
    known = { request, fingerprint: same.compose.fingerprint, pins, inputs, same };
    throw new Error('A compose of the same inputs is known.');
  };
  return instrumentPlan(request, async () => {
    try {
      return await makePlan(planContext(context, place, { ...select, noteInputs }), request);
    } catch (error) {
      if (known !== undefined) return known;
      throw error;
    }
  });
}

async function findLiving(
  { database, targetDirs }: ComposerContext,
  inputs: string,
  targetDir: string,
): Promise<ComposeOfInputs | undefined> {
  const search = { inputs, targetDir, now: database.clock.now() };
  const found = await findComposeOfInputs(database.kysely, search);
  const directory = targetDirs[targetDir];
  if (found === undefined || directory === undefined) return undefined;
  const { id, reusedId } = found.compose;
  return isPublished(directory, reusedId ?? id) ? found : undefined;
}

import { z } from '@hono/zod-openapi';
import { listReusable } from '../database/reusable-composes.ts';
import { ReactorError } from '../model/errors.ts';
import { sendJson } from './answer.ts';
import type { AskedCompose } from './asked-compose.ts';
import { ownerOf, type Identity } from './auth.ts';
import type { ApiContext, ApiRequest, PlannedCompose } from './context.ts';
import { ApiProblem } from './problem.ts';

/** What a dry run tells. */
export const dryRunSchema = z
  .object({
    dry_run: z.literal(true),
    fingerprint: z.string(),
    manifest: z.array(z.string()).openapi({ description: 'Sorted lines, as GET …/manifest has them' }),
    packages: z.number().int(),
    reuses: z.number().int().nullable().openapi({ description: 'The living compose that would be shown' }),
    warnings: z.array(z.string()),
  })
  .openapi('DryRun');

/** Whether a request only wants to know what would be composed. */
export function isDryRun(request: ApiRequest): boolean {
  const asked = request.req.query('dry_run');
  return asked !== undefined && !['', '0', 'false', 'no'].includes(asked.toLowerCase());
}

/** What would be composed. */
export interface DryRun {
  readonly planned: PlannedCompose;
  /** The living compose that would be shown instead of making one; null where there is none. */
  readonly reuses: number | null;
}

/**
 * Plans what is asked for, and finds the living compose that would be reused for it. Nothing is stored. Throws
 * `request.dry_run_unavailable` (501) where this process has no composer, and what planning throws.
 */
export async function planAsked(
  context: ApiContext,
  request: ApiRequest,
  { asked, series, readers }: AskedCompose,
  identity: Identity,
): Promise<DryRun> {
  const { plan, database, clock } = context;
  if (plan === undefined) {
    throw new ApiProblem(501, 'request.dry_run_unavailable', 'This server cannot plan without composing.', {
      hint: 'Ask one that has the role composer.',
    });
  }
  const planned = await planOrRefuse(() => plan({ request: asked, series }, request.req.raw.signal));
  const reusable = asked.flags.includes('no_reuse')
    ? []
    : await listReusable(database.kysely, {
        fingerprint: planned.fingerprint,
        targetDir: asked.targetDir,
        exceptId: 0,
        readers,
        owner: ownerOf(identity),
        now: clock.now(),
      });
  return { planned, reuses: reusable[0]?.id ?? null };
}

/** Returns the answer of a dry run. Throws what `planAsked` throws. */
export async function answerDryRun(
  context: ApiContext,
  request: ApiRequest,
  asked: AskedCompose,
  identity: Identity,
): Promise<Response> {
  const { planned, reuses } = await planAsked(context, request, asked, identity);
  return sendJson({
    dry_run: true,
    fingerprint: planned.fingerprint,
    manifest: planned.manifest,
    packages: planned.manifest.filter((line) => line.startsWith('package\t')).length,
    reuses,
    warnings: planned.warnings,
  });
}

/** What would have become the compose's failure is here the caller's answer. */
async function planOrRefuse<T>(plan: () => Promise<T>): Promise<T> {
  try {
    return await plan();
  } catch (error) {
    if (!(error instanceof ReactorError) || error.fate !== 'drop') throw error;
    throw new ApiProblem(400, error.code, error.message, {
      ...(error.hint === undefined ? {} : { hint: error.hint }),
      cause: error,
    });
  }
}

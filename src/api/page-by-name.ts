import { z } from '@hono/zod-openapi';
import { ApiProblem } from './problem.ts';
import { numberQuery } from './documentation.ts';

const MOST = 1000;
const USUAL = 100;

/** The query of a list that is paged by name. */
export const pageByNameSchema = z.object({
  after: z.string().max(300).optional().openapi({ description: 'Names after this one' }),
  limit: numberQuery(`How many, ${MOST} at most; ${USUAL} by default`),
});

/**
 * Lists one page by name: `list` is asked for one more than are shown. Returns what is shown, and the last name where there
 * are more. Throws `request.invalid_query` (400).
 */
export async function listPageByName<Row extends { readonly name: string }>(
  query: Record<string, string>,
  list: (page: { readonly after: string; readonly limit: number }) => Promise<readonly Row[]>,
): Promise<{ readonly shown: readonly Row[]; readonly next: string | null }> {
  const parsed = pageByNameSchema.safeParse(query);
  if (!parsed.success) {
    throw new ApiProblem(400, 'request.invalid_query', 'after is a name, limit a number.');
  }
  const limit = Math.min(Math.max(1, Number(parsed.data.limit ?? USUAL)), MOST);
  const rows = await list({ after: parsed.data.after ?? '', limit: limit + 1 });
  const shown = rows.slice(0, limit);
  return { shown, next: rows.length > limit ? (shown.at(-1)?.name ?? null) : null };
}

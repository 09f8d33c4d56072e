import { z } from 'zod';
import { ReactorError } from '../model/errors.ts';
import { readJson } from './read-json.ts';

const updateSchema = z.object({
  update: z.object({
    alias: z.string(),
    status: z.string().nullish(),
    type: z.string().nullish(),
    severity: z.string().nullish(),
    release: z.object({ name: z.string() }).nullish(),
    builds: z.array(z.object({ nvr: z.string() })).default([]),
  }),
});

/** An update as Bodhi has it now. */
export interface BodhiUpdate {
  readonly alias: string;
  readonly status: string | null;
  readonly type: string | null;
  readonly severity: string | null;
  readonly release: string | null;
  readonly nvrs: readonly string[];
}

/** What is asked of Bodhi. */
export interface Bodhi {
  /** One update, null where there is none of this alias. Throws `upstream.*`. */
  getUpdate(alias: string): Promise<BodhiUpdate | null>;
}

/** A client of the Bodhi at `url`, for example `https://bodhi.fedoraproject.org`. */
export function connectBodhi(url: string): Bodhi {
  const base = url.replace(/\/+$/, '');
  return {
    async getUpdate(alias) {
      const address = `${base}/updates/${encodeURIComponent(alias)}`;
      const answer = await readJson(address, 'Bodhi');
      if (answer === undefined) return null;
      const parsed = updateSchema.safeParse(answer);
      if (!parsed.success) {
        throw new ReactorError('upstream.strange_answer', 'Bodhi answered something that is not an update.', {
          where: address,
          fate: 'retry',
          cause: parsed.error,
        });
      }
      const { update } = parsed.data;
      return {
        alias: update.alias,
        status: update.status ?? null,
        type: update.type ?? null,
        severity: update.severity ?? null,
        release: update.release?.name ?? null,
        nvrs: update.builds.map((build) => build.nvr),
      };
    },
  };
}

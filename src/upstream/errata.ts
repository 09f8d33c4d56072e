import { z } from 'zod';
import { ReactorError } from '../model/errors.ts';
import { openJsonReader } from './http/read-json.ts';

const kindSchema = z.object({
  security_impact: z.string().nullish(),
  status: z.string().nullish(),
  fulladvisory: z.string().nullish(),
  content_types: z.array(z.string()).nullish(),
});
const advisorySchema = z.object({ errata: z.record(z.string(), kindSchema) });
const buildsSchema = z.record(z.string(), z.array(z.record(z.string(), z.unknown())));

/** An advisory as Errata Tool has it now. */
export interface Advisory {
  readonly id: number;
  /** `RHSA-2026:1234-01`. */
  readonly name: string | null;
  readonly severity: string | null;
  readonly status: string | null;
  readonly contentTypes: readonly string[];
  readonly nvrs: readonly string[];
}

/** What is asked of Errata Tool. */
export interface Errata {
  /** One advisory with its builds, null where there is none of this id. Throws `upstream.*`. */
  getAdvisory(id: number): Promise<Advisory | null>;
}

/** A client of the Errata Tool at `url`. */
export function connectErrata(url: string): Errata {
  const json = openJsonReader(url, 'Errata Tool');
  const read = async <T>(path: string, schema: z.ZodType<T>): Promise<T | undefined> => {
    const address = `${json.base}${path}`;
    const answer = await json.read(address);
    if (answer === undefined) return undefined;
    const parsed = schema.safeParse(answer);
    if (parsed.success) return parsed.data;
    throw new ReactorError('upstream.strange_answer', 'Errata Tool answered something of an unknown form.', {
      where: address,
      fate: 'retry',
      cause: parsed.error,
    });
  };
  return {
    async getAdvisory(id) {
      const advisory = await read(`/api/v1/erratum/${id}`, advisorySchema);
      if (advisory === undefined) return null;
      const [kind] = Object.values(advisory.errata);
      const builds = (await read(`/advisory/${id}/builds.json`, buildsSchema)) ?? {};
      const nvrs = Object.values(builds).flatMap((list) => list.flatMap((byNvr) => Object.keys(byNvr)));
      return {
        id,
        name: kind?.fulladvisory ?? null,
        severity: kind?.security_impact ?? null,
        status: kind?.status ?? null,
        contentTypes: kind?.content_types ?? [],
        nvrs: [...new Set(nvrs)].sort(),
      };
    },
  };
}

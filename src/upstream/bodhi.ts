import { z } from 'zod';
import { ReactorError } from '../model/errors.ts';
import { isName } from '../model/names.ts';
import { openJsonReader } from './http/read-json.ts';

const updateShape = z.object({
  alias: z.string(),
  status: z.string().nullish(),
  type: z.string().nullish(),
  severity: z.string().nullish(),
  release: z.object({ name: z.string(), dist_tag: z.string().nullish() }).nullish(),
  builds: z.array(z.object({ nvr: z.string() })).default([]),
  user: z.object({ name: z.string() }).nullish(),
  from_tag: z.string().nullish(),
  date_pushed: z.string().nullish(),
});
const oneShape = z.object({ update: updateShape });
const pageShape = z.object({ updates: z.array(updateShape), pages: z.int() });

const ROWS_PER_PAGE = 50;

/** An update as Bodhi has it now. */
export interface BodhiUpdate {
  readonly alias: string;
  readonly status: string | null;
  readonly type: string | null;
  readonly severity: string | null;
  readonly release: string | null;
  readonly distTag: string | null;
  readonly user: string | null;
  readonly fromTag: string | null;
  /** When it was last pushed, in milliseconds. */
  readonly pushedAt: number | null;
  readonly nvrs: readonly string[];
}

/** What is asked of Bodhi. */
export interface Bodhi {
  /** One update, null where there is none of this alias. Throws `upstream.*`. */
  getUpdate(alias: string): Promise<BodhiUpdate | null>;
  /** Pages of the updates that were pushed since a time; one may come twice. Throws `upstream.*`. */
  listPushed(since: Date): AsyncGenerator<readonly BodhiUpdate[], void, undefined>;
}

/** A client of the Bodhi at `url`, for example `https://bodhi.fedoraproject.org`. */
export function connectBodhi(url: string): Bodhi {
  const { base, read } = openJsonReader(url, 'Bodhi');
  return {
    async getUpdate(alias) {
      if (!isName('updateAlias', alias)) return null;
      const address = `${base}/updates/${encodeURIComponent(alias)}`;
      const answer = await read(address);
      return answer === undefined ? null : toUpdate(parse(oneShape, answer, address).update);
    },
    async *listPushed(since) {
      const address = new URL(`${base}/updates/`);
      // Bodhi compares with times that name no zone and mean UTC.
      address.searchParams.set('pushed_since', since.toISOString().slice(0, 19));
      address.searchParams.set('rows_per_page', String(ROWS_PER_PAGE));
      for (let page = 1, pages = 1; page <= pages; page++) {
        address.searchParams.set('page', String(page));
        const answer = parse(pageShape, await read(address.href), address.href);
        pages = answer.pages;
        yield answer.updates.map(toUpdate);
      }
    },
  };
}

function parse<T>(shape: z.ZodType<T>, answer: unknown, where: string): T {
  const parsed = shape.safeParse(answer);
  if (parsed.success) return parsed.data;
  throw new ReactorError('upstream.strange_answer', 'Bodhi answered something that is not an update.', {
    where,
    fate: 'retry',
    cause: parsed.error,
  });
}

function toUpdate(update: z.infer<typeof updateShape>): BodhiUpdate {
  const pushed = Date.parse(`${(update.date_pushed ?? '').replace(' ', 'T')}Z`);
  return {
    alias: update.alias,
    status: update.status ?? null,
    type: update.type ?? null,
    severity: update.severity ?? null,
    release: update.release?.name ?? null,
    distTag: update.release?.dist_tag ?? null,
    user: update.user?.name ?? null,
    fromTag: update.from_tag ?? null,
    pushedAt: Number.isNaN(pushed) ? null : pushed,
    nvrs: update.builds.map((build) => build.nvr),
  };
}

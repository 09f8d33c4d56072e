import { z } from '@hono/zod-openapi';
import { findLastOfSeries } from '../database/composes.ts';
import type { HeldContents, ToldImage } from '../database/images.ts';
import { findSeries } from '../database/series.ts';
import { transaction } from '../database/transaction.ts';
import { ReactorError } from '../model/errors.ts';
import {
  mostArchesOfImage,
  mostPackagesOfImage,
  readHeldPackages,
  type HeldPackages,
} from '../model/image.ts';
import type { ImageSource } from '../model/image-source.ts';
import { isName, nameHint, nameSentence } from '../model/names.ts';
import type { LockedPackage } from '../rpm/lock-file.ts';
import { seriesRepoid, seriesUrl } from '../rpm/series-repo.ts';
import type { ApiContext, ApiRequest } from './context.ts';
import { readFromSchema } from './image-json.ts';
import { lockForCaller, readLockWish } from './lock-for-caller.ts';
import { ApiProblem } from './problem.ts';
import { readJsonBody } from './read-body.ts';
import { noSuchSeries } from './series-of-request.ts';

/** Longer ones are no addresses of files. */
const LONGEST_URL = 2_000;

/** The body that tells of an image. */
export const imageBodySchema = z
  .strictObject({
    series: z.string().openapi({ description: 'The series whose composes its packages come from' }),
    reference: z
      .string()
      .regex(/^[\x21-\x7e]{1,500}$/)
      .optional()
      .openapi({ description: 'Where it can be had, for people', example: 'quay.io/example/httpd:latest' }),
    packages: z
      .record(z.string(), z.array(z.string().max(1000)).max(mostPackagesOfImage))
      .optional()
      .openapi({
        description: 'What it holds by basearch, as rpm -qa prints it, with or without epoch and arch',
        example: { x86_64: ['bash-5.2.26-3.fc42.x86_64'] },
      }),
    read_from: readFromSchema.optional().openapi({
      description: 'Instead of `packages`: where the service reads them, at once and from time to time',
    }),
    asks: z
      .union([z.array(z.string()), z.looseObject({})])
      .optional()
      .openapi({
        description:
          'Instead of `packages`: what its build asks for, as a list or as rpms.in.yaml has it; it holds the closure of that in what the series shows now',
        example: ['httpd', 'mod_ssl'],
      }),
  })
  .openapi('ImageRequest');

/**
 * Returns the image that a request tells of. Throws `request.invalid_body` and `request.invalid_value` (400),
 * `image.package_unreadable` (400), `series.not_found` (404) for a series that is not open to the caller, and of what
 * an image asks for `series.nothing_shown` (404), `lock.*` and what `lockForCaller` throws.
 */
export async function readToldImage(
  context: ApiContext,
  request: ApiRequest,
): Promise<Omit<ToldImage, 'owner'>> {
  const name = request.req.param('name') ?? '';
  const parsed = imageBodySchema.safeParse(await readJsonBody(request, 'The body is not JSON.'));
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    const where = issue?.path.join('.') ?? '';
    throw invalidBody(where === '' ? '' : `; ${where} is not what it should be`);
  }
  const { series, reference = null, packages, read_from: readFrom, asks } = parsed.data;
  checkName('image', name);
  checkName('series', series);
  await checkSeries(context, series);
  const given = [packages, readFrom, asks].filter((contents) => contents !== undefined).length;
  if (given > 1) throw invalidBody(', only one of the three');
  const told = { name, series, reference };
  if (readFrom !== undefined) return { ...told, contents: { source: readSource(readFrom) } };
  if (asks !== undefined) {
    return { ...told, contents: await closeOver(context, { series, asks, signal: request.req.raw.signal }) };
  }
  if (packages === undefined) throw invalidBody('');
  checkArches('packages', packages);
  const lists = Object.entries(packages).map(([arch, list]) => [arch, readList(list)] as const);
  return { ...told, contents: { packages: Object.fromEntries(lists) } };
}

interface AskedPackages {
  readonly series: string;
  readonly asks: unknown;
  readonly signal: AbortSignal;
}

/**
 * Returns what an image holds that was built of what its series shows. What the series does not have is of the base image,
 * which is not known.
 */
async function closeOver(
  context: ApiContext,
  { series, asks, signal }: AskedPackages,
): Promise<HeldContents> {
  const request = { ...readLockWish(asks), hasSources: false, isBrokenAllowed: true };
  if (request.packages === null || request.packages.length === 0) {
    throw new ApiProblem(400, 'request.invalid_value', 'asks names no package.', {
      hint: 'asks: ["httpd", "mod_ssl"], or {"packages": [...], "arches": [...], "installed": [...]}',
    });
  }
  const compose = await findLastOfSeries(context.database.kysely, series);
  if (compose === undefined) {
    throw new ApiProblem(404, 'series.nothing_shown', `The series ${series} has no finished compose.`, {
      hint: 'Tell of the image after its first build.',
    });
  }
  const address = {
    url: `${seriesUrl(context.targetDirUrls.default, series)}/latest`,
    repoid: seriesRepoid(series),
  };
  const { arches } = await lockForCaller(context, { compose, address, request }, signal);
  const packages = arches.map((locked) => [locked.arch, readList(locked.packages.map(nevrOf))] as const);
  return { packages: Object.fromEntries(packages), asks: request.packages.map(({ spec }) => spec) };
}

/** Lock files leave an epoch of 0 out. */
function nevrOf({ name, evr }: LockedPackage): string {
  return `${name}-${evr.includes(':') ? '' : '0:'}${evr}`;
}

function invalidBody(more: string): ApiProblem {
  return new ApiProblem(
    400,
    'request.invalid_body',
    `The body is an object with "series", "packages", "read_from" or "asks", and maybe a "reference"${more}.`,
    {
      hint: 'packages: {"x86_64": ["bash-5.2.26-3.fc42.x86_64", …]}; read_from: {"lock": URL} or {"sboms": {"x86_64": URL}}; asks: ["httpd", …]',
    },
  );
}

function readSource(readFrom: z.infer<typeof readFromSchema>): ImageSource {
  if ('lock' in readFrom) return { kind: 'lock', url: readUrl(readFrom.lock) };
  checkArches('read_from.sboms', readFrom.sboms);
  const urls = Object.entries(readFrom.sboms).map(([arch, url]) => [arch, readUrl(url)] as const);
  return { kind: 'sboms', urls: Object.fromEntries(urls) };
}

/** What is kept is shown to everybody who may see the image: no URL with a password. */
function readUrl(text: string): string {
  const url = URL.parse(text);
  const isFetched = url !== null && (url.protocol === 'http:' || url.protocol === 'https:');
  if (isFetched && url.username === '' && url.password === '' && text.length <= LONGEST_URL) return text;
  throw new ApiProblem(
    400,
    'request.invalid_value',
    `${JSON.stringify(text.slice(0, 200))} is no URL that is read.`,
    {
      hint: 'Files of images are read from http and https, without a user or password in the URL.',
    },
  );
}

function checkArches(key: string, byArch: Readonly<Record<string, unknown>>): void {
  const arches = Object.keys(byArch);
  for (const arch of arches) checkName('arch', arch);
  if (arches.length > 0 && arches.length <= mostArchesOfImage) return;
  throw new ApiProblem(
    400,
    'request.invalid_value',
    `${key} names ${arches.length} arches; it has to be 1 to ${mostArchesOfImage}.`,
  );
}

function checkName(kind: 'image' | 'series' | 'arch', text: string): void {
  if (isName(kind, text)) return;
  throw new ApiProblem(400, 'request.invalid_value', nameSentence(kind, text), { hint: nameHint(kind) });
}

function readList(list: readonly string[]): HeldPackages {
  try {
    return readHeldPackages(list);
  } catch (error) {
    if (!(error instanceof ReactorError)) throw error;
    throw new ApiProblem(400, error.code, error.message, {
      ...(error.hint === undefined ? {} : { hint: error.hint }),
      cause: error,
    });
  }
}

/** Throws `series.not_found` (404) for a series that is there, but not open to the caller. */
async function checkSeries(context: ApiContext, series: string): Promise<void> {
  if ((await findSeries(context.database.kysely, series)) !== undefined) return;
  const hidden = await transaction(context.database, (tx) => findSeries(tx.sql, series));
  if (hidden === undefined) return;
  throw noSuchSeries(series);
}

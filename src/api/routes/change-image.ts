import { z } from '@hono/zod-openapi';
import { findImage, putImage, removeImage, type ToldImage } from '../../database/images.ts';
import { findSeries } from '../../database/series.ts';
import { transaction } from '../../database/transaction.ts';
import { ReactorError } from '../../model/errors.ts';
import {
  mostArchesOfImage,
  mostPackagesOfImage,
  readHeldPackages,
  type HeldPackages,
} from '../../model/image.ts';
import { urlsOf, type ImageSource } from '../../model/image-source.ts';
import { isName, nameHint, nameSentence } from '../../model/names.ts';
import { sendJson } from '../answer.ts';
import { identify, ownerOf } from '../auth.ts';
import { isAdmin, requireAllowedClient, requireScope } from '../authorise.ts';
import { checkLocations } from '../check-repositories.ts';
import type { ApiContext, ApiRequest, RegisterRoute } from '../context.ts';
import { credentials, jsonAnswer, problemAnswers } from '../documentation.ts';
import { imageJson, imageSchema, readFromSchema } from '../image-json.ts';
import { ApiProblem } from '../problem.ts';
import { readJsonBody } from '../read-body.ts';
import { refuseForeignPage } from '../refuse-foreign-page.ts';
import { noSuchSeries } from '../series-of-request.ts';
import { imageParameter, noSuchImage } from './list-images.ts';

/** Longer ones are no addresses of files. */
const LONGEST_URL = 2_000;

const bodySchema = z
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
  })
  .openapi('ImageRequest');

/** PUT and DELETE of /api/1/images/NAME: tell what an image holds, by whoever told of it first or an admin. */
export const registerChangeImage: RegisterRoute = (app, context) => {
  app.openAPIRegistry.registerPath({
    method: 'put',
    path: '/api/1/images/{name}',
    summary: 'Tell of an image and what it holds',
    operationId: 'putImage',
    tags: ['images'],
    security: credentials,
    request: {
      params: imageParameter,
      body: { required: true, content: { 'application/json': { schema: bodySchema } } },
    },
    responses: { 200: jsonAnswer('The image as it is kept', imageSchema), ...problemAnswers },
  });
  app.put('/api/1/images/:name', async (request) => {
    refuseForeignPage(context, request);
    const identity = await identify(context, request);
    requireScope(identity, context.config, 'new-compose');
    requireAllowedClient(identity, context.config);
    const image = await readImage(request);
    if ('source' in image.contents) await checkLocations(context, request, urlsOf(image.contents.source));
    await checkSeries(context, image.series);
    const row = await transaction(context.database, async (tx) => {
      const mayReplaceAny = isAdmin(identity, context.config);
      if (!(await putImage(tx, { ...image, owner: ownerOf(identity) }, { mayReplaceAny }))) {
        throw notYours(image.name);
      }
      return findImage(tx.sql, image.name);
    });
    if (row === undefined) throw noSuchImage(image.name);
    return sendJson(imageJson(row));
  });
  app.openAPIRegistry.registerPath({
    method: 'delete',
    path: '/api/1/images/{name}',
    summary: 'Forget an image',
    operationId: 'forgetImage',
    tags: ['images'],
    security: credentials,
    request: { params: imageParameter },
    responses: { 200: jsonAnswer('Forgotten', z.object({ message: z.string() })), ...problemAnswers },
  });
  app.delete('/api/1/images/:name', async (request) => {
    refuseForeignPage(context, request);
    const identity = await identify(context, request);
    requireScope(identity, context.config, 'new-compose');
    requireAllowedClient(identity, context.config);
    const name = request.req.param('name');
    if (!isName('image', name) || (await findImage(context.database.kysely, name)) === undefined) {
      throw noSuchImage(name);
    }
    const owner = isAdmin(identity, context.config) ? null : ownerOf(identity);
    if (!(await transaction(context.database, (tx) => removeImage(tx, { name, owner }))))
      throw notYours(name);
    return sendJson({ message: `The image ${name} is forgotten.` });
  });
};

function notYours(name: string): ApiProblem {
  return new ApiProblem(403, 'image.not_yours', `The image ${name} was told of by somebody else.`, {
    hint: 'Only they or an admin may change it: call yours otherwise.',
  });
}

/** Throws `series.not_found` (404) for a series that is there, but not open to the caller. */
async function checkSeries(context: ApiContext, series: string): Promise<void> {
  if ((await findSeries(context.database.kysely, series)) !== undefined) return;
  const hidden = await transaction(context.database, (tx) => findSeries(tx.sql, series));
  if (hidden === undefined) return;
  throw noSuchSeries(series);
}

async function readImage(request: ApiRequest): Promise<Omit<ToldImage, 'owner'>> {
  const name = request.req.param('name') ?? '';
  const parsed = bodySchema.safeParse(await readJsonBody(request, 'The body is not JSON.'));
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    const where = issue?.path.join('.') ?? '';
    throw invalidBody(where === '' ? '' : `; ${where} is not what it should be`);
  }
  const { series, reference = null, packages, read_from: readFrom } = parsed.data;
  checkName('image', name);
  checkName('series', series);
  if (readFrom !== undefined) {
    if (packages !== undefined) throw invalidBody(', not both');
    return { name, series, reference, contents: { source: readSource(readFrom) } };
  }
  if (packages === undefined) throw invalidBody('');
  checkArches('packages', packages);
  const lists = Object.entries(packages).map(([arch, list]) => [arch, readList(list)] as const);
  return { name, series, reference, contents: { packages: Object.fromEntries(lists) } };
}

function invalidBody(more: string): ApiProblem {
  return new ApiProblem(
    400,
    'request.invalid_body',
    `The body is an object with "series", "packages" or "read_from", and maybe a "reference"${more}.`,
    {
      hint: 'packages: {"x86_64": ["bash-5.2.26-3.fc42.x86_64", …]}; read_from: {"lock": URL} or {"sboms": {"x86_64": URL}}',
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

import { z } from '@hono/zod-openapi';
import { findCompose } from '../../database/composes.ts';
import { listImagesOfSeries } from '../../database/images.ts';
import type { Compose } from '../../model/compose-json.ts';
import { findImageChanges } from '../../model/image-changes.ts';
import type { AdvisorySummary } from '../../rpm/advisory-summary.ts';
import { readOfferedPackages } from '../../rpm/repodata/offered-packages.ts';
import { sendPublicJson } from '../answer.ts';
import { readComposeAdvisories } from '../compose-advisories.ts';
import { composeIdOf, noSuchCompose } from '../compose-id.ts';
import type { ApiContext, ApiRequest, RegisterRoute } from '../context.ts';
import { idParameter, jsonAnswer, problemAnswers } from '../documentation.ts';
import { notHere, placeOfCompose } from '../place-of-compose.ts';

const packageSchema = z.object({
  name: z.string(),
  from: z.string().openapi({ description: 'The version that the image holds' }),
  to: z.string().openapi({ description: 'The version of the compose, with epoch' }),
  advisories: z.array(z.string()).openapi({ description: 'Ids of the advisories of the compose about it' }),
});
const answerSchema = z.object({
  compose: z.number().int(),
  series: z.string().nullable(),
  images: z.array(
    z.object({
      name: z.string(),
      reference: z.string().nullable(),
      arches: z.record(z.string(), z.array(packageSchema)),
      cves: z.array(z.string()).openapi({ description: 'Of those advisories' }),
    }),
  ),
  unchanged: z.array(z.string()).openapi({ description: 'Images of the series that hold all of it already' }),
});

/** GET /api/1/composes/ID/images: which images of its series would change if they were built again, and by what. */
export const registerShowChangedImages: RegisterRoute = (app, context) => {
  app.openAPIRegistry.registerPath({
    method: 'get',
    path: '/api/1/composes/{id}/images',
    summary: 'The images that a compose changes',
    operationId: 'listChangedImages',
    tags: ['images'],
    request: { params: idParameter },
    responses: { 200: jsonAnswer('By name, with the packages', answerSchema), ...problemAnswers },
  });
  app.get('/api/1/composes/:id{[0-9]+}/images', async (request) => {
    const compose = await findCompose(context.database.kysely, composeIdOf(request));
    if (compose === undefined) throw noSuchCompose();
    return sendPublicJson(await changedImages(context, request, compose));
  });
};

async function changedImages(
  context: ApiContext,
  request: ApiRequest,
  compose: Compose,
): Promise<z.infer<typeof answerSchema>> {
  const { id, series } = compose;
  const { directory } = placeOfCompose(context, compose);
  const images = series === null ? [] : await listImagesOfSeries(context.database.kysely, series);
  if (images.length === 0) return { compose: id, series, images: [], unchanged: [] };
  const offered = await readOfferedPackages(directory, request.req.raw.signal);
  if (offered === null) throw notHere();
  const advisories = (await readComposeAdvisories(context, compose))?.advisories ?? [];
  const byPackage = Map.groupBy(
    advisories.flatMap((advisory) => advisory.packages.map((nevra) => ({ advisory, nevra }))),
    ({ nevra }) => nevra.slice(0, nevra.lastIndexOf('.')),
  );
  const changes = findImageChanges(images, offered);
  const changed = new Set(changes.map(({ image }) => image.name));
  return {
    compose: id,
    series,
    images: changes.map(({ image, arches }) => {
      const about = new Map<string, AdvisorySummary>();
      const told = Object.entries(arches).map(([arch, packages]) => {
        const list = packages.map((change) => {
          const found = byPackage.get(`${change.name}-${change.to}`) ?? [];
          for (const { advisory } of found) about.set(advisory.id, advisory);
          return { ...change, advisories: [...new Set(found.map(({ advisory }) => advisory.id))].sort() };
        });
        return [arch, list] as const;
      });
      const cves = [...about.values()].flatMap((advisory) => advisory.cves);
      return { ...image, arches: Object.fromEntries(told), cves: [...new Set(cves)].sort() };
    }),
    unchanged: images.flatMap(({ name }) => (changed.has(name) ? [] : [name])),
  };
}

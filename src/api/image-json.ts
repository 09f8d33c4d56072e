import { z } from '@hono/zod-openapi';
import type { ImageRow } from '../database/images.ts';

const shownSchema = z.object({
  name: z.string(),
  series: z.string().openapi({ description: 'The series whose composes its packages come from' }),
  owner: z.string(),
  reference: z.string().nullable().openapi({ example: 'quay.io/example/httpd:latest' }),
  updated: z.string().openapi({ description: 'When its packages were told last' }),
});

/** An image in lists. */
export const listedImageSchema = shownSchema.extend({
  packages: z.record(z.string(), z.number().int()).openapi({ description: 'How many, by basearch' }),
});

/** An image with its packages. */
export const imageSchema = shownSchema.extend({
  packages: z.record(z.string(), z.record(z.string(), z.string())).openapi({
    description: 'Names to versions, by basearch',
    example: { x86_64: { bash: '5.2.26-3.fc42' } },
  }),
});

/** Returns an image as lists show it. */
export function listedImageJson({ packages, ...row }: ImageRow) {
  const counts = Object.entries(packages).map(([arch, held]) => [arch, Object.keys(held).length] as const);
  return { ...shownJson(row), packages: Object.fromEntries(counts) };
}

/** Returns an image with its packages. */
export function imageJson({ packages, ...row }: ImageRow) {
  return { ...shownJson(row), packages };
}

function shownJson({ name, series, owner, reference, updated_at }: Omit<ImageRow, 'packages'>) {
  return { name, series, owner, reference, updated: updated_at.toISOString() };
}

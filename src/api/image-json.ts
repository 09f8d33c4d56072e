import { z } from '@hono/zod-openapi';
import type { ImageRow } from '../database/images.ts';
import type { ImageSource } from '../model/image-source.ts';

/** Where the service reads what an image holds, as requests and answers say it. */
export const readFromSchema = z
  .union([
    z.strictObject({ lock: z.string().openapi({ description: 'URL of an rpms.lock.yaml' }) }),
    z.strictObject({
      sboms: z.record(z.string(), z.string()).openapi({
        description: 'URLs of bills of materials, CycloneDX or SPDX as JSON, by basearch',
      }),
    }),
  ])
  .openapi('ImageSource', { example: { lock: 'https://git.example.com/httpd/raw/main/rpms.lock.yaml' } });

const shownSchema = z.object({
  name: z.string(),
  series: z.string().openapi({ description: 'The series whose composes its packages come from' }),
  owner: z.string(),
  reference: z.string().nullable().openapi({ example: 'quay.io/example/httpd:latest' }),
  updated: z.string().openapi({ description: 'When its packages were told or read last' }),
  asks: z
    .array(z.string())
    .nullable()
    .openapi({
      description: 'What it asks for, where its packages are the closure of that; null otherwise',
      example: ['httpd', 'mod_ssl'],
    }),
  read_from: readFromSchema
    .nullable()
    .openapi({ description: 'Where the service reads its packages; null where it is told them' }),
  looked: z.string().nullable().openapi({ description: 'When it looked there last' }),
  problem: z
    .object({ code: z.string(), message: z.string(), hint: z.string().nullable() })
    .nullable()
    .openapi({ description: 'Why that failed; the packages are those of before then' }),
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

function shownJson({
  name,
  series,
  owner,
  reference,
  updated_at,
  asks,
  source,
  looked_at,
  problem,
}: Omit<ImageRow, 'packages'>) {
  return {
    name,
    series,
    owner,
    reference,
    updated: updated_at.toISOString(),
    asks,
    read_from: source === null ? null : readFromJson(source),
    looked: looked_at?.toISOString() ?? null,
    problem,
  };
}

function readFromJson(source: ImageSource): z.infer<typeof readFromSchema> {
  switch (source.kind) {
    case 'lock':
      return { lock: source.url };
    case 'sboms':
      return { sboms: { ...source.urls } };
    default:
      return source satisfies never;
  }
}

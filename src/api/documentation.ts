import { z } from '@hono/zod-openapi';
import { sourceTypes } from '../model/compose.ts';

const nullableText = z.string().nullable();
const nullableNumber = z.number().int().nullable();

/** The 42 keys of a compose. Source: ODCS contract 2. */
export const composeSchema = z
  .object({
    id: z.number().int(),
    owner: z.string(),
    source_type: z
      .number()
      .int()
      .openapi({
        description: Object.entries(sourceTypes)
          .map(([type, number]) => `${type} ${number}`)
          .join(', '),
      }),
    source: z.string(),
    state: z.number().int().openapi({ description: 'wait 0, generating 1, done 2, removed 3, failed 4' }),
    state_name: z.enum(['wait', 'generating', 'done', 'removed', 'failed']),
    state_reason: nullableText,
    time_submitted: z.string().openapi({ example: '2026-11-22T10:00:00Z' }),
    time_to_expire: z.string(),
    time_started: nullableText,
    time_done: nullableText,
    time_removed: nullableText,
    removed_by: nullableText,
    result_repo: z.string(),
    result_repofile: z.string(),
    toplevel_url: z.string(),
    flags: z.array(z.string()),
    results: z.array(z.string()),
    sigkeys: z.string(),
    koji_event: nullableNumber,
    koji_task_id: nullableNumber,
    packages: nullableText,
    builds: nullableText,
    modular_koji_tags: nullableText,
    scratch_modules: nullableText,
    scratch_build_tasks: nullableText,
    parent_pungi_compose_ids: nullableText,
    modules: nullableText,
    arches: z.string(),
    multilib_arches: z.string(),
    lookaside_repos: z.string(),
    multilib_method: z.number().int(),
    module_defaults_url: nullableText,
    label: nullableText,
    compose_type: nullableText,
    respin_of: nullableText,
    base_module_br_name: nullableText,
    base_module_br_stream: nullableText,
    base_module_br_stream_version_lte: nullableNumber,
    base_module_br_stream_version_gte: nullableNumber,
    pungi_compose_id: nullableText,
    target_dir: z.string(),
    readers: z
      .object({ users: z.array(z.string()), groups: z.array(z.string()) })
      .optional()
      .openapi({ description: 'Of private composes only: who may read it beside its owner' }),
    tag_options: z.record(z.string(), z.unknown()).optional().openapi({
      description:
        'How its builds were chosen from the tags, without the builds under embargo; where asked for',
    }),
  })
  .openapi('Compose');

/** The body of every error. */
export const problemSchema = z
  .object({
    error: z.string().openapi({ example: 'Bad Request' }),
    status: z.number().int(),
    code: z.string().openapi({ description: 'Stable; for programs', example: 'request.missing_source' }),
    message: z.string(),
    hint: z.string().optional(),
    request_id: z.string(),
  })
  .openapi('Problem');

const words = z.array(z.string());

/** The body of POST, for readers: the checks themselves run in ODCS's order in the model. */
export const composeRequestSchema = z
  .object({
    source: z.object({
      type: z.enum([
        'tag',
        'module',
        'repo',
        'pulp',
        'raw_config',
        'build',
        'pungi_compose',
        'compose',
        'definition',
      ]),
      source: z.string().optional(),
      packages: words.optional(),
      builds: words.optional(),
      sigkeys: words.optional(),
      koji_event: z.number().int().optional(),
      modular_koji_tags: words.optional(),
      module_defaults_url: z.string().optional(),
      module_defaults_commit: z.string().optional(),
      scratch_modules: words.optional(),
      scratch_build_tasks: words.optional(),
      modules: words.optional(),
      base_module_br_name: z.string().optional(),
      base_module_br_stream: z.string().optional(),
      base_module_br_stream_version_lte: z.number().int().optional(),
      base_module_br_stream_version_gte: z.number().int().optional(),
      only: words.optional().openapi({
        description: 'Names or globs of source packages that alone are taken from the tags',
      }),
      except: words
        .optional()
        .openapi({ description: 'Names or globs of source packages that are not taken' }),
      unsigned_arches: words.optional().openapi({ description: 'Arches whose packages need no signature' }),
      wait_for_signatures: z.string().optional().openapi({
        description: 'How long packages that are not signed yet are waited for, 15m at most',
        example: '15m',
      }),
      embargo: z
        .object({ tags: words.optional(), builds: words.optional(), shipped_tags: words.optional() })
        .optional()
        .openapi({
          description:
            'Builds in these tags, or of these NVRs or globs, are left out for older ones, until they are in one of shipped_tags',
        }),
      previous_builds: z
        .object({ packages: words, count: z.number().int().min(1).max(10).optional() })
        .optional()
        .openapi({
          description: 'Builds of these packages that were tagged before the newest are taken too',
        }),
      released_tag: z.string().optional().openapi({
        description: 'What is older than the build of its package in this tag is left out',
      }),
    }),
    seconds_to_live: z.number().int().optional(),
    flags: words.optional(),
    results: words.optional(),
    arches: words.optional(),
    multilib_arches: words.optional(),
    multilib_method: words.optional(),
    lookaside_repos: words.optional(),
    parent_pungi_compose_ids: words.optional(),
    label: z.string().optional(),
    compose_type: z.string().optional(),
    respin_of: z.string().optional(),
    target_dir: z.string().optional(),
    series: z.string().optional().openapi({ description: 'The line of composes it continues' }),
    keep: z
      .object({
        last: z.number().int().optional(),
        daily: z.string().optional(),
        weekly: z.string().optional(),
      })
      .optional()
      .openapi({
        description: 'Which composes of the series outlive their time from now on; an empty object: none',
        example: { last: 10, daily: '30d' },
      }),
    readers: z
      .object({ users: words.optional(), groups: words.optional() })
      .optional()
      .openapi({ description: 'Who may read it beside its owner; everybody without it' }),
  })
  .openapi('ComposeRequest');

/** The body of PATCH. Source: ODCS contract 5. */
export const renewRequestSchema = z
  .object({
    seconds_to_live: z.number().int().optional(),
    sigkeys: words.optional(),
    label: z.string().optional(),
    source: z.object({ builds: words.optional(), modules: words.optional() }).optional(),
  })
  .openapi('RenewRequest');

/** A JSON answer of this shape. */
export function jsonAnswer(description: string, schema: z.ZodType) {
  return { description, content: { 'application/json': { schema } } };
}

/** The answers every route may give instead. */
export const problemAnswers = {
  400: jsonAnswer('The request is not valid', problemSchema),
  401: jsonAnswer('The caller is not known', problemSchema),
  403: jsonAnswer('The caller may not do that', problemSchema),
  404: jsonAnswer('There is no such thing', problemSchema),
};

/** The id in a path. */
export const idParameter = z.object({ id: z.string().regex(/^\d+$/).openapi({ example: '7' }) });

import { type SourceType, sourceTypes } from '../source-types.ts';
import { z } from '@hono/zod-openapi';
import {
  composeFlags,
  composeResults,
  multilibMethods,
  type ComposeFlag,
  type ComposeResult,
  type MultilibMethod,
} from '../model/compose.ts';
import { seriesOutcomes } from '../model/series-notification.ts';

const nullableText = z.string().nullable();
const nullableNumber = z.number().int().nullable();

const base = 'https://odcs.fedora.test/composes/odcs-7';
/** A compose as documents show it. */
export const composeExample = {
  id: 7,
  owner: 'releng',
  source_type: 1,
  source: 'f44',
  state: 2,
  state_name: 'done',
  state_reason: 'Compose is generated successfully',
  time_submitted: '2026-11-22T10:00:00Z',
  time_to_expire: '2026-11-23T10:00:00Z',
  time_started: '2026-11-22T10:00:01Z',
  time_done: '2026-11-22T10:00:03Z',
  time_removed: null,
  removed_by: null,
  result_repo: `${base}/compose/Temporary`,
  result_repofile: `${base}/compose/Temporary/odcs-7.repo`,
  toplevel_url: base,
  flags: [],
  results: ['repository'],
  sigkeys: '',
  koji_event: 1795975929,
  koji_task_id: null,
  packages: 'httpd',
  builds: null,
  modular_koji_tags: null,
  scratch_modules: null,
  scratch_build_tasks: null,
  parent_pungi_compose_ids: null,
  modules: null,
  arches: 'x86_64',
  multilib_arches: '',
  lookaside_repos: '',
  multilib_method: 0,
  module_defaults_url: null,
  label: null,
  compose_type: null,
  respin_of: null,
  base_module_br_name: null,
  base_module_br_stream: null,
  base_module_br_stream_version_lte: null,
  base_module_br_stream_version_gte: null,
  pungi_compose_id: 'odcs-7-1-20261122.n.0',
  target_dir: 'default',
} as const;

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
  .openapi('Compose', {
    description: 'A compose, as every client of ODCS knows it',
    example: composeExample,
  });

/** The body of every error: RFC 9457 under its own names and under those of ODCS. */
const problemSchema = z
  .object({
    type: z.string().openapi({ description: 'The code as an URI', format: 'uri' }),
    title: z.string().openapi({ description: 'What the status is called' }),
    status: z.number().int(),
    detail: z.string().openapi({ description: 'A sentence for people' }),
    code: z.string().openapi({ description: 'Stable; for programs' }),
    hint: z.string().optional().openapi({ description: 'What can be done' }),
    request_id: z.string().openapi({ description: 'What the log of the service has it under' }),
    error: z.string().openapi({ description: 'The title, as ODCS names it' }),
    message: z.string().openapi({ description: 'The detail, as ODCS names it' }),
  })
  .openapi('Problem', {
    description: 'Problem details (RFC 9457)',
    example: {
      type: 'urn:odcs-reactor:problem:request.unknown_query',
      title: 'Bad Request',
      status: 400,
      detail: 'There is no query key "stat" here; did you mean "state"?',
      code: 'request.unknown_query',
      hint: 'There are: state, series.',
      request_id: '2f0c9d0e-4d3b-4b0e-9a55-2f9f2f7f2d11',
      error: 'Bad Request',
      message: 'There is no query key "stat" here; did you mean "state"?',
    },
  });

const words = z.array(z.string());

/** Returns the names of a closed table, as `z.enum` takes them. */
function namesOf<Name extends string>(table: Readonly<Record<Name, number>>): [Name, ...Name[]] {
  const [first, ...rest] = Object.keys(table) as Name[];
  if (first === undefined) throw new Error('The table has no names.');
  return [first, ...rest];
}

/** The body of POST, for readers: the checks themselves run in ODCS's order in the model. */
export const composeRequestSchema = z
  .object({
    source: z.object({
      type: z.enum(namesOf<SourceType>(sourceTypes)),
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
    flags: z.array(z.enum(namesOf<ComposeFlag>(composeFlags))).optional(),
    results: z.array(z.enum(namesOf<ComposeResult>(composeResults))).optional(),
    arches: words.optional(),
    multilib_arches: words.optional(),
    multilib_method: z.array(z.enum(namesOf<MultilibMethod>(multilibMethods))).optional(),
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
    notify: z
      .array(z.object({ webhook: z.string(), only: z.array(z.enum(seriesOutcomes)).optional() }))
      .optional()
      .openapi({
        description:
          'Who hears of the series from now on, at hosts of `webhook_hosts`; an empty list: nobody',
        example: [{ webhook: 'https://hooks.example.com/images', only: ['image_changed'] }],
      }),
    readers: z
      .object({ users: words.optional(), groups: words.optional() })
      .optional()
      .openapi({ description: 'Who may read it beside its owner; everybody without it' }),
  })
  .openapi('ComposeRequest', {
    description: 'What POST takes, and what stands under `compose` in rules',
    example: {
      source: { type: 'tag', source: 'f44', packages: ['httpd'] },
      arches: ['x86_64'],
      seconds_to_live: 86_400,
      series: 'base-images',
    },
  });

/** The body of PATCH. Source: ODCS contract 5. */
export const renewRequestSchema = z
  .object({
    seconds_to_live: z.number().int().optional(),
    sigkeys: words.optional(),
    label: z.string().optional(),
    source: z.object({ builds: words.optional(), modules: words.optional() }).optional(),
  })
  .openapi('RenewRequest', { example: { seconds_to_live: 86_400 } });

/** A JSON answer of this shape. */
export function jsonAnswer(description: string, schema: z.ZodType) {
  return { description, content: { 'application/json': { schema } } };
}

/** A problem, as our own addresses and those of ODCS write it. */
function problemAnswer(description: string) {
  return {
    description,
    content: {
      'application/problem+json': { schema: problemSchema },
      'application/json': { schema: problemSchema },
    },
  };
}

/** What may go wrong at every address. */
export const anyProblem = {
  400: problemAnswer('The request is not valid'),
  401: problemAnswer('The caller is not known'),
  default: problemAnswer('Anything else'),
};

/** What may go wrong where something is named, or somebody asks for something. */
export const problemAnswers = {
  ...anyProblem,
  403: problemAnswer('The caller may not do that'),
  404: problemAnswer('There is no such thing'),
};

/** What may go wrong, too, where something else is in the way. */
export const conflictAnswer = { 409: problemAnswer('Something else is in the way') };

/** What says who asks, where something changes; which ones count is a setting. */
export const credentials = [{ bearer: [] }, { negotiate: [] }, { clientCertificate: [] }];

/** A whole number in a query. */
export function numberQuery(description: string, { least = 0 }: { readonly least?: number } = {}) {
  return z
    .string()
    .regex(/^\d{1,15}$/)
    .optional()
    .openapi({ type: 'integer', minimum: least, description });
}

/** The id in a path. */
export const idParameter = z.object({
  id: z
    .string()
    .regex(/^\d+$/)
    .openapi({ type: 'integer', minimum: 1, example: 7, description: 'Its number' }),
});

/** A moment in a query. */
export const momentQuery = z
  .string()
  .optional()
  .openapi({ description: 'A moment: what the series showed then', example: '2026-11-22T10:00Z' });

/** The name of a rule in a path. */
export const ruleParameter = z.object({
  name: z.string().openapi({ example: 'base-images', description: 'The name of the rule' }),
});

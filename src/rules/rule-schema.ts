import { z } from 'zod';
import { parseDuration } from '../model/duration.ts';
import {
  eventCatalogue,
  fieldsOfKind,
  ruleEventKinds,
  type RuleEventKind,
} from '../model/event-catalogue.ts';
import { composeJsonSchema, requireJsonSchema, wordDefinitions, wordsName } from './rule-json-schema.ts';
import { notifiedOutcomes } from '../model/rule.ts';

const duration = z
  .string()
  .regex(/^(?:\d{1,6}(?:ms|s|m|h|d))+$/, 'a duration such as 30s, 10m, 2h, 3d')
  .refine((text) => (parseDuration(text) ?? Infinity) <= 366 * 86_400_000, 'at most a year')
  .meta({ id: 'duration', description: 'A duration: 30s, 10m, 2h, 3d, 1h30m.' });

const scalar = z.union([z.string().max(1024), z.number(), z.boolean()]);
const scalars = z.union([scalar, z.array(scalar).min(1).max(1000)]);

/** What may be asked of one field beside equality. */
export const operatorsSchema = z
  .strictObject({
    is: scalars.optional().describe('equal, wildcards meant literally'),
    in: z.array(scalar).min(1).max(1000).optional().describe('any of these'),
    not: scalars.optional().describe('none of these, wildcards allowed'),
    exists: z.boolean().optional().describe('whether the message says the field at all'),
    gt: z.number().optional(),
    gte: z.number().optional(),
    lt: z.number().optional(),
    lte: z.number().optional(),
    at_least: z.string().min(1).max(200).optional().describe('this EVR or newer, in RPM order'),
    at_most: z.string().min(1).max(200).optional().describe('this EVR or older, in RPM order'),
    newer_than: z.string().min(1).max(200).optional(),
    older_than: z.string().min(1).max(200).optional(),
  })
  .refine((object) => Object.keys(object).length > 0, 'at least one operator')
  .meta({ id: 'operators' });

const fieldMatch = z
  .union([scalar, z.array(scalar).min(1).max(1000), operatorsSchema])
  .meta({ id: 'fieldMatch' });
const elementMatch = z.record(z.string(), fieldMatch).meta({ id: 'elementMatch' });

/** One `match` or `unless` block: fields to what they must be. Names are checked against the catalogue later. */
const matchBlock = z
  .record(z.string(), z.union([fieldMatch, elementMatch]))
  .meta({ id: 'match', description: 'Fields of the event; all must hold.' });

const eventTrigger = z.strictObject({
  event: z.enum(ruleEventKinds).describe('the kind of event'),
  match: matchBlock.optional(),
  unless: matchBlock.optional().describe('excluded when all of these hold'),
});

const scheduleTrigger = z.strictObject({
  schedule: z
    .string()
    .regex(/^\S+( \S+){4}$/, 'five fields: minute hour day month weekday')
    .describe('cron expression, UTC'),
});

const requirement = z.record(z.string(), z.record(z.string(), z.json()));

const only = z
  .array(z.enum(notifiedOutcomes))
  .min(1)
  .optional()
  .describe('default: composed, failed, refused, rate_limited, overdue; image_changed comes beside composed');
const notification = z.union([
  z.strictObject({ bus: z.enum(['fedora', 'umb']).describe('told as odcs.rule.decided'), only }),
  z.strictObject({
    webhook: z
      .string()
      .regex(/^https?:\/\/[^\s]{1,1000}$/, 'an http or https URL')
      .describe('gets the same as JSON by POST'),
    only,
  }),
]);

const span = z
  .string()
  .regex(/^\d{1,4}[dwy]$/, 'days, weeks or years such as 30d, 12w, 1y')
  .refine((text) => {
    const back = parseDuration(text) ?? 0;
    return back > 0 && back <= 20 * 365 * 86_400_000;
  }, 'more than nothing and at most 20 years')
  .meta({ id: 'span', description: 'How far back: 30d, 12w, 1y.' });

const keep = z
  .strictObject({
    last: z.int().min(1).max(10_000).optional().describe('the newest so many'),
    daily: span.optional().describe('the last of each day (UTC), so far back'),
    weekly: span.optional().describe('the last of each ISO week, so far back'),
  })
  .refine((object) => Object.keys(object).length > 0, 'at least one of last, daily, weekly');

const names = z
  .array(z.string().regex(/^[^\p{Cc}\p{Cs}]{1,200}$/u, 'a name'))
  .max(200)
  .default([]);

/** The strict shape of a rule file, version 1. Source: RULES 4. */
export const ruleFileSchema = z
  .strictObject({
    version: z.literal(1),
    name: z
      .string()
      .regex(/^[a-z0-9][a-z0-9-]{0,79}$/, 'at most 80 small letters, digits and dashes')
      .describe('the name of the file without .yaml'),
    owner: z.string().min(1).max(80).describe('group that may pause and trigger it'),
    description: z.string().min(1).max(2000),
    mode: z
      .enum(['active', 'shadow', 'off'])
      .default('active')
      .describe('shadow decides and records, and composes nothing'),
    on: z
      .array(z.union([eventTrigger, scheduleTrigger]))
      .min(1)
      .max(100)
      .describe('any of these'),
    group_by: z.array(z.string()).max(5).default([]).describe('event fields; one window per distinct value'),
    settle: duration.default('0s').describe('quiet time wanted before deciding'),
    max_wait: duration
      .optional()
      .describe('never later than this after the first event; default 6 times settle'),
    reconcile: duration.optional().describe('how often to look at the source although no message came'),
    min_interval: duration.default('0s').describe('least time between two starts of the series'),
    min_interval_for_all: z.boolean().default(false).describe('min_interval holds for security too'),
    priority: z.enum(['security', 'normal', 'bulk']).default('normal'),
    require: z.array(requirement).max(20).default([]).describe('state checks, all must be met'),
    require_within: duration.optional().describe('unmet for longer than this is notified'),
    series: z
      .string()
      .min(1)
      .max(300)
      .optional()
      .describe('the line of composes this one continues; default: name and group'),
    keep: keep
      .optional()
      .describe('composes of the series that outlive their time; the newest is among them'),
    readers: z
      .strictObject({ users: names, groups: names })
      .optional()
      .describe('who may read the rule, its series and its composes beside its owner; default: everybody'),
    compose: z
      .record(z.string(), z.json())
      .describe('the ODCS request body, with ${field}, ${event.field}, ${events.field}'),
    unchanged: z
      .enum(['skip', 'skip_texts', 'compose'])
      .default('skip')
      .describe(
        'what is done where nothing changed since the last compose of the series: nothing (skip_texts: also where only texts of advisories did), or a compose all the same',
      ),
    when_busy: z.enum(['latest', 'queue', 'cancel_running']).default('latest'),
    notify: z.array(notification).max(20).default([]).describe('who hears how windows end'),
    max_chain: z.int().min(0).max(20).default(3).describe('longest chain of composes it may stand in'),
    daily_limit: z
      .int()
      .min(1)
      .max(100_000)
      .default(200)
      .describe('composes in 24 hours after which the rule pauses itself'),
  })
  .meta({ title: 'odcs-reactor rule', description: 'One rule per file; the file is named after the rule.' });

export type RuleFile = z.infer<typeof ruleFileSchema>;
export type MatchBlock = z.infer<typeof matchBlock>;

/** JSON Schema (draft 2020-12) of a rule file, for editors, with the fields of each kind of event. */
export function ruleJsonSchema(): unknown {
  const schema = z.toJSONSchema(ruleFileSchema, { io: 'input' });
  const on = schema.properties?.['on'];
  if (typeof on !== 'object' || typeof on.items !== 'object' || Array.isArray(on.items)) {
    throw new Error('the schema of `on` is not a list');
  }
  const { properties } = schema;
  if (properties !== undefined) {
    properties['compose'] = composeJsonSchema();
    properties['require'] = requireJsonSchema();
  }
  on.items.anyOf = [...ruleEventKinds.map(triggerSchema), ...(on.items.anyOf ?? []).slice(1)];
  return {
    $comment: 'Generated by src/commands/generate.ts from the rule schema and the event catalogue.',
    ...schema,
    $defs: { ...schema.$defs, ...wordDefinitions() },
  };
}

function triggerSchema(kind: RuleEventKind): z.core.JSONSchema.BaseSchema {
  const fields: Record<string, z.core.JSONSchema.BaseSchema> = {};
  for (const [field, { type, doc, words }] of fieldsOfKind(kind)) {
    const element = { type: 'object', additionalProperties: { $ref: '#/$defs/fieldMatch' } } as const;
    if (type === 'builds') {
      for (const suffix of ['[]', '[all]', '[none]'])
        fields[field + suffix] = { ...element, description: doc };
    } else if (words !== undefined) {
      fields[field] = { $ref: `#/$defs/${wordsName(words)}`, description: doc };
    } else {
      fields[field] = { $ref: '#/$defs/fieldMatch', description: doc };
    }
    if (field === 'nvr')
      fields['evr'] = { $ref: '#/$defs/fieldMatch', description: 'version and release of the NVR' };
  }
  const block = { type: 'object', properties: fields, additionalProperties: false } as const;
  return {
    type: 'object',
    description: eventCatalogue[kind].doc,
    properties: { event: { const: kind }, match: block, unless: block },
    required: ['event'],
    additionalProperties: false,
  };
}

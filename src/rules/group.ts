import type { StoredEvent } from '../database/input-events.ts';
import type { Rule, Scalar } from '../model/rule.ts';

/** The values of a rule's group, in the order of its `group_by`. */
export type Group = Readonly<Record<string, Scalar>>;

/** Groups that one sweep or tick goes through; sweeps begin with those that were not looked at for the longest. */
export const MAX_GROUPS = 200;
/** A group that had no event for so long is not swept any more. */
export const GROUPS_LIVE_MS = 30 * 86_400_000;

/** The group of a rule that an event belongs to, or the field that it does not say. */
export function groupOf(
  rule: Rule,
  stored: Pick<StoredEvent, 'input'>,
): { readonly values: Group } | { readonly missing: string } {
  const fields: Readonly<Record<string, unknown>> = { ...stored.input, ...stored.input.event };
  const values: Record<string, Scalar> = {};
  for (const field of rule.groupBy) {
    const value = fields[field];
    if (typeof value !== 'string' && typeof value !== 'number' && typeof value !== 'boolean')
      return { missing: field };
    values[field] = typeof value === 'string' ? value.slice(0, 1024) : value;
  }
  return { values };
}

/** Whether a group has the fields that the rule groups by now. */
export function isGroupOf(rule: Rule, group: Group): boolean {
  const fields = Object.keys(group);
  return fields.length === rule.groupBy.length && rule.groupBy.every((field) => fields.includes(field));
}

/** Writes a group as the text that names it. */
export function writeGroupKey(group: Group): string {
  return JSON.stringify(group);
}

/** Reads what `writeGroupKey` wrote. */
export function readGroupKey(key: string): Group {
  const parsed: unknown = JSON.parse(key);
  const values: Record<string, Scalar> = {};
  if (typeof parsed !== 'object' || parsed === null) return values;
  for (const [field, value] of Object.entries(parsed)) {
    if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean')
      values[field] = value;
  }
  return values;
}

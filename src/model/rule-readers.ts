import type { Readers } from './readers.ts';
import type { Rule } from './rule.ts';

/** Returns who may read a rule, its series and its composes, its owner among them; null for everybody. */
export function readersOfRule({ owner, readers }: Pick<Rule, 'owner' | 'readers'>): Readers | null {
  if (readers === null) return null;
  return {
    users: [...new Set([...readers.users, owner])].sort(),
    groups: [...new Set([...readers.groups, owner])].sort(),
  };
}

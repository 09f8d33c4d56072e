import type { z } from 'zod';

/** One row of the table: what a setting is called everywhere, what it may be, and what it means. */
export interface Setting<T> {
  readonly schema: z.ZodType<T>;
  readonly default: T;
  readonly env: string;
  readonly doc: string;
  readonly isSecret?: boolean;
}

/** Returns a row of the table. */
export function setting<T>(
  schema: z.ZodType<T>,
  value: T,
  env: string,
  doc: string,
  more: { isSecret?: boolean } = {},
): Setting<T> {
  return { schema, default: value, env, doc, ...more };
}

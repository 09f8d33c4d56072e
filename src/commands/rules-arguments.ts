import { parseArgs } from 'node:util';

const options = {
  rules: { type: 'string' },
  since: { type: 'string' },
  reason: { type: 'string' },
  force: { type: 'boolean' },
  event: { type: 'string' },
  rule: { type: 'string' },
  compose: { type: 'string' },
  limit: { type: 'string' },
  server: { type: 'string' },
  token: { type: 'string' },
  config: { type: 'string' },
  json: { type: 'boolean' },
} as const;

/** Reads the arguments of `rules`. */
export function parseRulesArguments(argv: readonly string[]) {
  return parseArgs({ args: [...argv], allowPositionals: true, options });
}

/** The options of `rules`, as they were given. */
export type RulesOptions = ReturnType<typeof parseRulesArguments>['values'];

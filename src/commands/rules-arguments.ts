import type { ServiceOptions } from './service-options.ts';

/** The options of the verbs of `rules`, as they were given. */
export interface RulesOptions extends ServiceOptions {
  readonly rules?: string | undefined;
  readonly since?: string | undefined;
  readonly reason?: string | undefined;
  readonly force?: true | undefined;
  readonly event?: string | undefined;
  readonly rule?: string | undefined;
  readonly compose?: string | undefined;
  readonly limit?: string | undefined;
  readonly config?: string | undefined;
}

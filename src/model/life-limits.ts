/** How long a compose may live, in seconds. */
export interface LifeLimits {
  /** Where the request asks for none. */
  readonly secondsToLive: number;
  readonly maxSecondsToLive: number;
}

/** Returns the limits of each Pungi configuration that has some of its own, by name. */
export function rawConfigLimits(
  rawConfigs: Readonly<Record<string, Readonly<Record<string, unknown>>>>,
  usual: LifeLimits,
): Readonly<Record<string, LifeLimits>> {
  const own = Object.entries(rawConfigs).map(([name, entry]) => [
    name,
    {
      secondsToLive: secondsOr(entry['seconds_to_live'], usual.secondsToLive),
      maxSecondsToLive: secondsOr(entry['max_seconds_to_live'], usual.maxSecondsToLive),
    },
  ]);
  return Object.fromEntries(own);
}

function secondsOr(value: unknown, usual: number): number {
  return typeof value === 'number' ? value : usual;
}

/**
 * Returns the limits for a source: those of its Pungi configuration, or the usual ones. `source` is the text
 * `name#commit`, or undefined where the type is another one. Source: ODCS contract 25.
 */
export function lifeLimitsOf(
  defaults: LifeLimits & { readonly rawConfigLimits: Readonly<Record<string, LifeLimits>> },
  source: string | undefined,
): LifeLimits {
  const name = source?.split('#')[0] ?? '';
  const own = Object.hasOwn(defaults.rawConfigLimits, name) ? defaults.rawConfigLimits[name] : undefined;
  return own ?? defaults;
}

import { systemClock } from '../clock.ts';
import { openSources } from '../composer/open-sources.ts';
import { offersOf } from '../composer/plan.ts';
import type { Config } from '../config.ts';
import { createLog } from '../log.ts';
import { ReactorError } from '../model/errors.ts';
import { findNotOffered } from '../model/offers.ts';
import type { Rule } from '../model/rule.ts';
import { isPlainObject } from '../rules/rule-match.ts';

/**
 * Returns a sentence for each rule that asks for a source type that a composer of these settings does not make. It is no
 * mistake of the rule: another process of the service may make it.
 */
export async function warnOfUnmade(config: Config, rules: readonly Rule[]): Promise<readonly string[]> {
  try {
    using opened = await openSources(config, {
      clock: systemClock,
      log: createLog('silent'),
      database: null,
    });
    const offers = offersOf(opened);
    return rules.flatMap(({ name, compose }) => {
      const source = compose['source'];
      const sourceType = isPlainObject(source) ? String(source['type']) : '';
      const notOffered = findNotOffered({ sourceType, results: [] }, offers);
      if (notOffered === undefined) return [];
      return [
        `${name}: a composer with these settings makes no composes of source type "${sourceType}", only of ${offers.sourceTypes.join(', ')}.`,
      ];
    });
  } catch (error) {
    if (!(error instanceof ReactorError)) throw error;
    return [`What a composer with these settings makes is not known here: ${error.message}`];
  }
}

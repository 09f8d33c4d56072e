import type { Config } from '../../config.ts';

/** Returns how many composes a process may have at a time because Pungi makes them; 0 where no raw config asks for it. */
export function pungiPlacesOf(config: Pick<Config, 'raw_config_urls' | 'concurrent_pungi'>): number {
  const isAsked = Object.values(config.raw_config_urls).some(
    ({ engine }) => engine === 'pungi' || engine === 'auto',
  );
  return isAsked ? config.concurrent_pungi : 0;
}

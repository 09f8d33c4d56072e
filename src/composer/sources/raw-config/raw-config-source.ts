import { defineSource, openLater } from '../source-definition.ts';

/** Configurations of Pungi. Offered where the settings name some. */
export const rawConfigSourceDefinition = defineSource({
  type: 'raw_config',
  open: (context) =>
    Object.keys(context.config.raw_config_urls).length === 0
      ? null
      : openLater(async () => {
          const { openRawConfig } = await import('./open-raw-config.ts');
          return openRawConfig(context);
        }),
});

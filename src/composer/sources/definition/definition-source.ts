import { defineSource, openLater } from '../source-definition.ts';

/** Definitions of main composes. Offered where the settings name a directory or repositories of them. */
export const definitionSourceDefinition = defineSource({
  type: 'definition',
  open: (context) =>
    context.config.definitions_dir === '' && Object.keys(context.config.definition_urls).length === 0
      ? null
      : openLater(async () => {
          const { openDefinitions } = await import('./open-definitions.ts');
          return openDefinitions(context);
        }),
});

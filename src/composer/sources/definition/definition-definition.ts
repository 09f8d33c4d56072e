import { refuseRequest } from '../../../model/request-fields.ts';
import { openLater } from '../open-later.ts';
import { defineSource } from '../source-definition.ts';

/** Main composes by definition files of our own. Offered where the settings name some. */
export const definitionSource = defineSource({
  type: 'definition',
  number: 9,
  words: 'NAME or NAME#COMMIT of a definition of a main compose',
  checkWords: checkDefinitionWords,
  // A commit, or the number of a compose that is a part: both may be a number.
  fillWord: ({ fill }) => fill('1'),
  async open(context) {
    const { config } = context;
    if (config.definitions_dir === '' && Object.keys(config.definition_urls).length === 0) return null;
    return openLater(async () => {
      const { openDefinitions } = await import('./open-definitions.ts');
      return openDefinitions(context);
    });
  },
});

/**
 * Checks a definition, at a commit where one is named, and composes for its parts: `product#main baseos=17`. Throws
 * `request.invalid_source`.
 */
function checkDefinitionWords(words: readonly string[]): void {
  const [word = '', ...pins] = words;
  if (!/^[a-z0-9][a-z0-9.-]{0,79}(?:#[^#\s]{1,200})?$/.test(word)) {
    refuseRequest(
      'request.invalid_source',
      'A source of type "definition" is the name of a definition.',
      'Write NAME, or NAME#COMMIT for one in a repository.',
    );
  }
  for (const pin of pins) {
    if (/^[^=]+=[1-9]\d{0,14}$/.test(pin)) continue;
    refuseRequest(
      'request.invalid_source',
      `"${pin}" names no compose for a part.`,
      'Write SERIES=ID after the name of the definition.',
    );
  }
}

import { checkName } from '../../../model/names.ts';
import { refuseRequest } from '../../../model/request-fields.ts';
import { defineSource } from '../source-definition.ts';

/** Composes of this service. Offered where they are looked up. */
export const composeSource = defineSource({
  type: 'compose',
  number: 8,
  words: 'composes of this service, by id or series',
  checkWords: checkComposeWords,
  async open(context) {
    const { openComposeSource } = await import('./compose-source.ts');
    return openComposeSource(context);
  },
});

/** Checks composes of this service, by id or by the name of their series. Throws `request.invalid_source`, `request.invalid_name`. */
function checkComposeWords(words: readonly string[]): void {
  words.forEach(checkComposeWord);
}

function checkComposeWord(word: string): void {
  if (/^\d+$/.test(word) && !Number.isSafeInteger(Number(word))) {
    refuseRequest('request.invalid_source', `There can be no compose with the id ${word}.`);
  }
  checkName('series', word, { code: 'request.invalid_name', where: 'source' });
}

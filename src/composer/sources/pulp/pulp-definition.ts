import { checkName } from '../../../model/names.ts';
import { defineSource } from '../source-definition.ts';

/** Repositories of Pulp, which it names and does not copy. */
export const pulpSource = defineSource({
  type: 'pulp',
  number: 4,
  words: 'content sets or repositories of Pulp',
  hasNoPackages: true,
  checkWords: checkPulpWords,
  async open(context) {
    const { openPulpSource } = await import('./pulp-source.ts');
    return openPulpSource(context);
  },
});

/** Checks content sets and ids of repositories of Pulp. Throws `request.invalid_name`. */
function checkPulpWords(words: readonly string[]): void {
  for (const word of words) checkName('contentSet', word, { code: 'request.invalid_name', where: 'source' });
}

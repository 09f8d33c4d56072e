import { checkName } from '../../../model/names.ts';
import { checkModuleRequest, parseModuleRequest } from '../../../model/nsvc.ts';
import { refuseRequest } from '../../../model/request-fields.ts';
import type { KnownSources } from '../../../model/source-type-rules.ts';
import { defineSource } from '../source-definition.ts';

/** Modules, resolved by MBS or out of Koji tags. */
export const moduleSource = defineSource({
  type: 'module',
  number: 2,
  words: 'modules, NAME:STREAM and more',
  mayLackWords: ({ scratch_modules: scratch }) => Array.isArray(scratch) && scratch.length > 0,
  checkWords: checkModuleWords,
  fillWord: ({ isWhole, fill }) => (isWhole ? 'a:1' : fill('1')),
  isOfHub: true,
  async open({ modules }) {
    if (modules === null) return null;
    const { createModuleSource } = await import('./module-source.ts');
    return createModuleSource(modules);
  },
});

/** Checks the modules of a source. Throws `module.invalid`, `request.base_module`, `request.invalid_name`. */
function checkModuleWords(words: readonly string[], known: KnownSources): void {
  for (const word of words) checkModuleWord(word, known);
}

function checkModuleWord(word: string, { moduleForm: form, baseModuleNames }: KnownSources): void {
  const isDashed = form === 'dashes' && !word.includes(':') && /.-./.test(word);
  if (isDashed) checkName('moduleName', word, { code: 'request.invalid_name', where: 'source' });
  const name = isDashed ? (word.split('-')[0] ?? word) : checkModuleRequest(parseModuleRequest(word)).name;
  if (baseModuleNames.includes(name)) {
    refuseRequest(
      'request.base_module',
      `ODCS currently cannot create compose with base modules, but ${name} was requested.`,
    );
  }
}

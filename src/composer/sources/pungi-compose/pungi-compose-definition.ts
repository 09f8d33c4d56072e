import { isName } from '../../../model/names.ts';
import { refuseRequest } from '../../../model/request-fields.ts';
import { defineSource } from '../source-definition.ts';

/** Finished composes of Pungi. */
export const pungiComposeSource = defineSource({
  type: 'pungi_compose',
  number: 7,
  words: 'the URL of a variant of a Pungi compose',
  areRepositories: true,
  checkWords: checkPungiComposeWords,
  async open(context) {
    const { openPungiComposeSource } = await import('./pungi-compose-source.ts');
    return openPungiComposeSource(context);
  },
});

/** Checks the URL of one variant of a compose of Pungi. Throws `request.invalid_source`. */
function checkPungiComposeWords(words: readonly string[]): void {
  const [word = '', ...others] = words;
  const url = URL.parse(word);
  const isHttp = url?.protocol === 'http:' || url?.protocol === 'https:';
  const variant = url?.pathname.replace(/\/+$/, '').split('/').at(-1) ?? '';
  const isPlain = url?.search === '' && url.hash === '' && url.username === '' && url.password === '';
  if (others.length === 0 && isHttp && isPlain && isName('variant', variant)) return;
  refuseRequest(
    'request.invalid_source',
    'A source of type "pungi_compose" is the http(s) URL of one variant of a compose.',
    'Write https://HOST/…/compose/Server.',
  );
}

import { refuseRequest } from '../../../model/request-fields.ts';
import type { KnownSources } from '../../../model/source-type-rules.ts';
import { openLater } from '../open-later.ts';
import { defineSource } from '../source-definition.ts';

/** Configurations of Pungi. Offered where the settings name some. */
export const rawConfigSource = defineSource({
  type: 'raw_config',
  number: 5,
  words: 'NAME#COMMIT of a Pungi configuration',
  checkWords: checkRawConfig,
  fillWord({ text, isWhole, isTemplate }, { rawConfigNames: [known = 'a'] }) {
    const [name = '', commit] = isWhole ? [text, 'a'] : text.split('#');
    const filled = isTemplate(name) ? known : name;
    return commit === undefined ? filled : `${filled}#${isTemplate(commit) ? 'a' : commit}`;
  },
  async open(context) {
    if (Object.keys(context.config.raw_config_urls).length === 0) return null;
    return openLater(async () => {
      const { openRawConfig } = await import('./open-raw-config.ts');
      return openRawConfig(context);
    });
  },
});

/** Checks a Pungi configuration at a commit. Throws `request.invalid_source`, `request.unknown_raw_config`. */
function checkRawConfig(words: readonly string[], { rawConfigNames: names }: KnownSources): void {
  const [word = '', ...others] = words;
  if (others.length > 0) {
    refuseRequest('request.invalid_source', 'Only single source is allowed for "raw_config" source_type');
  }
  const [name, commit, ...rest] = word.split('#');
  if (!name || !commit || rest.length > 0) {
    refuseRequest(
      'request.invalid_source',
      'Source must be in "source_name#commit_hash" format for "raw_config" source_type.',
    );
  }
  if (!names.includes(name)) {
    refuseRequest('request.unknown_raw_config', `Source "${name}" does not exist in server configuration.`);
  }
}

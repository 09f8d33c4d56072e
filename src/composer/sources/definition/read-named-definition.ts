import type { Config } from '../../../config.ts';
import { nearestWord } from '../../../model/did-you-mean.ts';
import { ReactorError } from '../../../model/errors.ts';
import { readGitTree } from '../../../upstream/git.ts';
import { configFilesOfTree } from '../../main-inputs/config-directory.ts';
import { fetchGitPlaces } from '../../main-inputs/fetch-git-places.ts';
import { digestOfDirectory, digestOfFiles } from '../../main-inputs/config-digest.ts';
import {
  definitionOfReading,
  listDefinitions,
  readDefinitionOfFile,
  readWithPlaces,
  type FoundDefinition,
} from '../../main-inputs/definition-directory.ts';

type Settings = Pick<Config, 'definitions_dir' | 'definition_urls' | 'git_allowed_urls'>;

/**
 * Reads the definition that a request names: `NAME` of the directory, `NAME#COMMIT` of a repository. Throws
 * `definition.unknown`, `definition.invalid`, `definition.unreadable`, and what git throws.
 */
export async function readNamedDefinition(
  settings: Settings,
  word: string,
  signal: AbortSignal,
): Promise<FoundDefinition> {
  const [name = '', commit = ''] = word.split('#');
  if (commit !== '') return readOfRepository(settings, { name, commit }, signal);
  const known = settings.definitions_dir === '' ? [] : listDefinitions(settings.definitions_dir);
  if (!known.includes(name)) throw unknown(name, known);
  // Before it is read: what changes in between is read another time.
  const whole = await digestOfDirectory(settings.definitions_dir);
  const { git_allowed_urls: allowed } = settings;
  const { reading, files, fetched } = await readDefinitionOfFile(settings.definitions_dir, name, (places) =>
    fetchGitPlaces({ allowed, signal }, places),
  );
  const digest = whole === null ? null : `${name} ${whole} ${digestOfFiles(fetched.contents)}`;
  const { remarks } = fetched;
  return { definition: definitionOfReading(reading), files, digest, commit: null, remarks };
}

async function readOfRepository(
  { definition_urls: urls, git_allowed_urls: others }: Settings,
  { name, commit }: { readonly name: string; readonly commit: string },
  signal: AbortSignal,
): Promise<FoundDefinition> {
  const place = Object.hasOwn(urls, name) ? urls[name] : undefined;
  if (place === undefined) throw unknown(name, Object.keys(urls));
  const { url, path: directory = '', filename = `${name}.yaml` } = place;
  const tree = await readGitTree({ allowed: [url], signal }, { url, revision: commit, directory });
  const bytes = tree.files.get(filename);
  if (bytes === undefined) {
    throw new ReactorError('definition.unknown', `There is no file ${filename} at ${tree.commit}.`, {
      where: url,
      hint: 'The setting definition_urls says where the definition is.',
    });
  }
  const own = {
    file: filename,
    text: bytes.toString('utf8'),
    files: configFilesOfTree(`${name}/`, tree.files),
  };
  const { reading, files, fetched } = await readWithPlaces(own, (places) =>
    fetchGitPlaces({ allowed: [url, ...others], signal }, places),
  );
  const digest = `${name} ${filename} ${digestOfFiles(new Map([...tree.files, ...fetched.contents]))}`;
  const { remarks } = fetched;
  return { definition: definitionOfReading(reading), files, digest, commit: tree.commit, remarks };
}

function unknown(name: string, known: readonly string[]): ReactorError {
  const near = nearestWord(name, known);
  const question = near === null ? '' : ` Did you mean "${near}"?`;
  return new ReactorError('definition.unknown', `There is no definition "${name}".${question}`, {
    hint: known.length === 0 ? 'None is configured.' : `There are: ${known.slice(0, 30).join(', ')}.`,
  });
}

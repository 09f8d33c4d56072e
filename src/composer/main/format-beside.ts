import { posix } from 'node:path';
import { isPathBelow } from '../../model/names.ts';
import { fileDigests, type DefinitionInput, type PlaceInput } from './definition-file-schema.ts';
import { joinArches, notExpressible, unless } from './format-entries.ts';
import { defaultRevision, gitPlaceOf, type GitPlace } from './git-place.ts';
import type { ExtraFiles, MainDefinition } from './main-definition.ts';
import { defaultDigests } from './read-beside-sources.ts';
import type { Variant } from './variants.ts';
import { placeInputOf } from './written-places.ts';

type VariantInput = DefinitionInput['variants'][string];
type ExtraFilesInput = Extract<VariantInput['extra_files'], readonly unknown[]>[number];

/** Writes where module defaults, obsoletes and product certificates are, below the directory `files`. */
export function besideInputOf(
  { beside }: MainDefinition,
  files: string,
): Pick<DefinitionInput, 'modules' | 'product_certificates'> {
  const { moduleDefaults, moduleDefaultOverrides, moduleObsoletes, productCertificates } = beside;
  const placed = (directory: string): PlaceInput => placeInputOf(directory, (path) => moved(path, files));
  const below = (directory: string | null): PlaceInput | null =>
    directory === null ? null : placed(directory);
  return {
    ...unless(
      'modules',
      {
        ...unless('defaults', below(moduleDefaults), null),
        ...unless('default_overrides', below(moduleDefaultOverrides), null),
        ...unless('obsoletes', below(moduleObsoletes), null),
      },
      {},
    ),
    ...(productCertificates === null
      ? {}
      : {
          product_certificates: {
            directory: placed(productCertificates.directory),
            ...unless('allow_missing', productCertificates.isMissingFine, false),
            ...unless('allow_prefix', productCertificates.isPrefixFine, true),
          },
        }),
  };
}

/** Writes the digests of extra files. Throws `definition.not_expressible`. */
export function fileDigestsInputOf({
  beside: { extraFileDigests },
}: MainDefinition): Pick<NonNullable<DefinitionInput['output']>, 'file_digests'> {
  const named = fileDigests.filter((algorithm) => extraFileDigests.includes(algorithm));
  const strange = extraFileDigests.find((algorithm) => !fileDigests.some((known) => known === algorithm));
  if (strange !== undefined) throw notExpressible(`files have the digest ${strange}`);
  return unless('file_digests', named, defaultDigests);
}

/** Writes the extra files of a variant, below the directory `files`. Throws `definition.not_expressible`. */
export function extraFilesInputOf(
  { beside: { extraFiles }, variants }: MainDefinition,
  { uid, arches }: Variant,
  files: string,
): Pick<VariantInput, 'extra_files'> {
  if (extraFiles === null) return {};
  const isNothing = [...extraFiles.values()].every((byArch) =>
    [...byArch.values()].every((list) => list.length === 0),
  );
  // Somebody has to speak of them, so that the empty list of them is written.
  if (isNothing) return [...variants.keys()][0] === uid ? { extra_files: [] } : {};
  const of = (arch: string): ExtraFilesInput[] =>
    (extraFiles.get(uid)?.get(arch) ?? []).map((entry) => entryOf(entry, files));
  const binary = joinArches(arches, of);
  const source = of('src');
  if (source.length === 0) return unless('extra_files', binary, []);
  const all = Array.isArray(binary) ? (binary.length === 0 ? {} : { all: binary }) : binary;
  return { extra_files: { ...all, src: source } };
}

function entryOf({ packageGlob, files, directories, target }: ExtraFiles, below: string): ExtraFilesInput {
  const [first] = [...files, ...directories].map(gitPlaceOf);
  const place = (path: string): string =>
    packageGlob === null ? (gitPlaceOf(path)?.path ?? moved(path, below)) : path;
  const to = posix.join(target).replace(/\/+$/, '');
  if (to !== '.' && !isPathBelow(to)) throw notExpressible(`extra files lie in ${target}`);
  return {
    ...unless('package', packageGlob, null),
    ...(packageGlob === null && first ? gitKeysOf(first) : {}),
    ...unless('files', files.map(place), []),
    ...unless('directories', directories.map(place), []),
    ...unless('to', to, '.'),
  };
}

/** The keys that say of which repository extra files are; a configuration takes those of an entry of one. */
function gitKeysOf({ url, revision }: GitPlace): Pick<ExtraFilesInput, 'git' | 'revision'> {
  return { git: url, ...unless('revision', revision, defaultRevision) };
}

/** A path of a configuration as one below a directory beside the definition. */
function moved(path: string, below: string): string {
  if (!isPathBelow(path)) throw notExpressible(`files lie at ${path}, outside of the configuration`);
  return posix.join(below, path);
}

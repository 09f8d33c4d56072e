import type { DefinitionFile, ExtraFilesEntry, PlaceInput, WrittenPlace } from './definition-file-schema.ts';
import { defaultRevision, gitPlaceOf, pathInRepository, pathOfGitPlace, type GitPlace } from './git-place.ts';
import { isList } from './written-variants.ts';

/** Returns the path by which a place of a definition file is read. */
export function pathOfPlace(place: WrittenPlace): string {
  return typeof place === 'string' ? place : pathOfGitPlace(gitPlace(place.git, place.revision, place.path));
}

/** Returns the path by which a file or directory of extra files is read. */
export function pathOfExtra({ git, revision }: ExtraFilesEntry, name: string): string {
  return git === undefined ? name : pathOfGitPlace(gitPlace(git, revision, name));
}

/** Lists the places in git repositories that a definition file names. */
export function listGitPlaces(file: DefinitionFile): GitPlace[] {
  const { comps, modules, product_certificates: certificates } = file;
  const single = [
    comps,
    modules.defaults,
    modules.default_overrides,
    modules.obsoletes,
    certificates?.directory,
  ];
  const entries = Object.values(file.variants)
    .flatMap((variant) => [variant, ...Object.values(variant.children)])
    .flatMap(({ extra_files: value = [] }) => (isList(value) ? value : Object.values(value).flat()));
  const paths = [
    ...single.flatMap((place) => (place === undefined ? [] : [pathOfPlace(place)])),
    ...entries.flatMap((entry) =>
      entry.git === undefined
        ? []
        : [...entry.files, ...entry.directories].map((name) => pathOfExtra(entry, name)),
    ),
  ];
  return paths.flatMap((path) => gitPlaceOf(path) ?? []);
}

/** Writes a path as a definition has it: the place in git that it stands for, or itself below a directory. */
export function placeInputOf(path: string, move: (path: string) => string): PlaceInput {
  const place = gitPlaceOf(path);
  if (place === null) return move(path);
  return {
    git: place.url,
    ...(place.revision === defaultRevision ? {} : { revision: place.revision }),
    ...(place.path === '' ? {} : { path: place.path }),
  };
}

function gitPlace(url: string, revision: string | undefined, path: string): GitPlace {
  return { url, revision: revision ?? defaultRevision, path: pathInRepository(path) ?? path };
}

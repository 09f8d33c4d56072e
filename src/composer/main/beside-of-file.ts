import type { FilePath, ReportProblem } from '../../model/file-problem.ts';
import type { DefinitionFile, ExtraFilesEntry, WrittenPlace } from './definition-file-schema.ts';
import type { ConfigFiles } from './load-config.ts';
import type { BesideSources, ExtraFiles } from './main-definition.ts';
import { pathOfExtra, pathOfPlace } from './written-places.ts';
import { isList, reportUnknown, type WrittenVariant } from './written-variants.ts';

/** Returns what a definition file says of files beside packages. */
export function besideOf(file: DefinitionFile, written: readonly WrittenVariant[]): BesideSources {
  const { modules, product_certificates: certificates, output } = file;
  const filled = written.filter(({ variant }) => !variant.isEmpty);
  const isSpokenOf = written.some(({ entry }) => entry.extra_files !== undefined);
  return {
    moduleDefaults: pathOrNull(modules.defaults),
    moduleDefaultOverrides: pathOrNull(modules.default_overrides),
    moduleObsoletes: pathOrNull(modules.obsoletes),
    productCertificates:
      certificates === undefined
        ? null
        : {
            directory: pathOfPlace(certificates.directory),
            isMissingFine: certificates.allow_missing,
            isPrefixFine: certificates.allow_prefix,
          },
    extraFiles: isSpokenOf
      ? new Map(
          filled.map((given) => [
            given.variant.uid,
            new Map(
              [...given.variant.arches, 'src'].map((arch) => [
                arch,
                entriesOfTree(given, arch).map((entry) => extraFilesOf(entry)),
              ]),
            ),
          ]),
        )
      : null,
    extraFileDigests: output.file_digests,
  };
}

/** Entries of the arch, then those of all, which are not for sources. */
function entriesOfTree(
  { entry: { extra_files: value = [] } }: WrittenVariant,
  arch: string,
): readonly ExtraFilesEntry[] {
  const isSource = arch === 'src';
  if (isList(value)) return isSource ? [] : value;
  return [...(value[arch] ?? []), ...(isSource ? [] : (value['all'] ?? []))];
}

function extraFilesOf(entry: ExtraFilesEntry): ExtraFiles {
  const { files, directories, to = '' } = entry;
  const pathsOf = (names: readonly string[]): string[] => names.map((name) => pathOfExtra(entry, name));
  return {
    packageGlob: entry.package ?? null,
    files: pathsOf(files),
    directories: pathsOf(directories),
    target: to,
  };
}

function pathOrNull(place: WrittenPlace | undefined): string | null {
  return place === undefined ? null : pathOfPlace(place);
}

/** Reports files and directories that a definition names and that do not lie beside it, and arches of extra files that are none. */
export function checkBeside(
  file: DefinitionFile,
  written: readonly WrittenVariant[],
  { files, report }: { readonly files: Pick<ConfigFiles, 'read' | 'list'>; readonly report: ReportProblem },
): void {
  const checkDirectory = (directory: WrittenPlace | undefined, path: FilePath): void => {
    // What is taken of git was looked for when it was fetched.
    if (directory === undefined || typeof directory !== 'string' || files.list(directory) !== null) return;
    report('definition.file_missing', path, `There is no directory ${directory} beside the definition.`);
  };
  const { modules, product_certificates: certificates } = file;
  for (const key of ['defaults', 'default_overrides', 'obsoletes'] as const) {
    checkDirectory(modules[key], ['modules', key]);
  }
  checkDirectory(certificates?.directory, ['product_certificates', 'directory']);
  for (const { variant, entry, path } of written) {
    const value = entry.extra_files ?? [];
    const known = [...variant.arches, 'src', 'all'];
    for (const [key, entries] of isList(value) ? [['', value] as const] : Object.entries(value)) {
      const place = [...path, 'extra_files', ...(key === '' ? [] : [key])];
      if (key !== '' && !known.includes(key)) reportUnknown(report, place, 'There is no arch', key, known);
      for (const [at, entry] of entries.entries()) {
        if (entry.package !== undefined || entry.git !== undefined) continue;
        for (const [index, name] of entry.files.entries()) {
          if (files.read(name) !== null) continue;
          const missing = `There is no file ${name} beside the definition.`;
          report('definition.file_missing', [...place, at, 'files', index], missing);
        }
        for (const [index, name] of entry.directories.entries()) {
          checkDirectory(name, [...place, at, 'directories', index]);
        }
      }
    }
  }
}

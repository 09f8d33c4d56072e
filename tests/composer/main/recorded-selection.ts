import assert from 'node:assert/strict';
import { readFileSync, statSync } from 'node:fs';
import { basename } from 'node:path';
import { readBesidePackages } from '../../../src/composer/main/beside-packages.ts';
import { readExtraFiles } from '../../../src/composer/main/extra-files.ts';
import type { MainGather } from '../../../src/composer/main/gather-main.ts';
import type { LoadedConfig } from '../../../src/composer/main/load-config.ts';
import type { MainDefinition } from '../../../src/composer/main/main-definition.ts';
import { atOnce } from '../../../src/in-turns.ts';
import { selectMain } from '../../../src/composer/main/main-selection.ts';
import { checkRepoclosure, type RepoclosureReport } from '../../../src/composer/main/repoclosure.ts';
import type { PackageReader, Selection, SourcePackage } from '../../../src/composer/selection.ts';
import { sourcePackage } from '../../../src/composer/source-package.ts';
import { SelectedLists } from '../../../src/composer/gather/selected-lists.ts';
import { matchNamePattern } from '../../../src/model/name-pattern.ts';
import { readRpmFile } from '../../../src/rpm/header/read-rpm-header.ts';
import { makeFragments } from '../../../src/rpm/repodata/make-fragments.ts';
import type { RecordedPackages } from './recorded-packages.ts';
import { filesOf, type MainVector } from './recorded-vectors.ts';

/** What is known of a recorded compose once it is gathered. */
export interface RecordedInput {
  readonly vector: MainVector;
  readonly loaded: LoadedConfig;
  readonly definition: MainDefinition;
  readonly packages: RecordedPackages;
  readonly gathered: MainGather;
}

export interface RecordedSelection {
  readonly selection: Selection;
  readonly reports: readonly RepoclosureReport[];
}

/** Selects a recorded compose of its recorded packages, with all that its configuration says of trees. */
export async function selectRecorded(input: RecordedInput): Promise<RecordedSelection> {
  const { vector, definition, packages, gathered } = input;
  const { index } = packages;
  const files = await readExtraFiles({
    files: filesOf(vector),
    definition,
    findPackage(glob, arch) {
      const isMatch = matchNamePattern(glob);
      const found = packages.sets
        .flatMap(({ ids }) => ids)
        .find((id) => isMatch(index.nameOf(id)) && (arch === null || index.archOf(id) === arch));
      return found === undefined ? null : () => Promise.resolve(readFileSync(packages.pathOf(found)));
    },
  });
  const beside = readBesidePackages(filesOf(vector), definition);
  const reports = definition.output.skippedPhases.has('repoclosure')
    ? []
    : await checkRepoclosure({ definition, packages, trees: gathered.trees });
  const ofMain = selectMain({
    definition,
    packages,
    gathered,
    pins: { source: vector.name, kojiEvent: 1000 },
    ...beside,
    files,
    describe: describing(packages),
    lists: new SelectedLists(),
  });
  const selection = atOnce(ofMain);
  return { selection: { ...selection, repoclosures: reports }, reports };
}

function describing(packages: RecordedPackages): (id: number) => SourcePackage {
  const described = new Map<number, SourcePackage>();
  return (id) => {
    const known = described.get(id);
    if (known !== undefined) return known;
    const path = packages.pathOf(id);
    const { modified, inode } = readRpmFile(path);
    const made = sourcePackage({
      ...packages.index.nevraOf(id),
      sourceRpm: packages.index.sourceRpmOf(id),
      fileName: basename(path),
      payload: `sha256:${packages.index.pkgidOf(id)}`,
      sigkey: packages.sigkeyOf(id),
      size: statSync(path).size,
      origin: { kind: 'file', path, stamp: { modified, inode } },
    });
    described.set(id, made);
    return made;
  };
}

/** Makes the metadata of recorded packages of their files. */
export const recordedReader: PackageReader = {
  loadFragments: (wanted) =>
    Promise.resolve(
      wanted.map(({ origin }) => {
        assert.ok(origin.kind === 'file');
        const file = readRpmFile(origin.path);
        return makeFragments(file.header, file);
      }),
    ),
};

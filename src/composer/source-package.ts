import { ReactorError } from '../model/errors.ts';
import { isRpmFileName } from '../model/names.ts';
import { formatNevra, formatNvra } from '../model/nevra.ts';
import type { SourcePackage } from './selection.ts';

/**
 * A package as a source offers it: what the source knows, and the texts that every compose writes of it, made once
 * because a tag has tens of thousands. Throws `compose.file_name_unfit` for what cannot be a file of a compose.
 * Source of the place in a repository: pungi contract 4.
 */
export function sourcePackage(known: Omit<SourcePackage, 'nevra' | 'oddName' | 'location'>): SourcePackage {
  const { fileName } = known;
  if (!isRpmFileName(fileName)) throw unfit(fileName);
  return {
    ...known,
    nevra: formatNevra(known),
    oddName: fileName === `${formatNvra(known)}.rpm` ? '' : fileName,
    location: `Packages/${firstLetter(fileName)}/${fileName}`,
  };
}

/** The first character, whole where it is one of two code units. */
function firstLetter(name: string): string {
  return String.fromCodePoint(name.codePointAt(0) ?? 0).toLowerCase();
}

function unfit(fileName: string): ReactorError {
  return new ReactorError(
    'compose.file_name_unfit',
    `${JSON.stringify(fileName.slice(0, 200))} is no name of an RPM file.`,
    { hint: 'Such a package cannot lie in a repository; it has to be mended in its source.' },
  );
}

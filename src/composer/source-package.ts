import { formatNevra, formatNvra } from '../model/nevra.ts';
import type { SourcePackage } from './selection.ts';

/**
 * A package as a source offers it: what the source knows, and the texts that every compose writes of it, made once
 * because a tag has tens of thousands. Source of the place in a repository: pungi contract 4.
 */
export function sourcePackage(known: Omit<SourcePackage, 'nevra' | 'oddName' | 'location'>): SourcePackage {
  const { fileName } = known;
  return {
    ...known,
    nevra: formatNevra(known),
    oddName: fileName === `${formatNvra(known)}.rpm` ? '' : fileName,
    location: `Packages/${fileName.charAt(0).toLowerCase()}/${fileName}`,
  };
}

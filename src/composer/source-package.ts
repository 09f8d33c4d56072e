import { formatNevra } from '../model/nevra.ts';
import type { SourcePackage } from './selection.ts';

/**
 * A package as a source offers it: what the source knows, and the texts that every compose writes of it, made once
 * because a tag has tens of thousands. Source of the place in a repository: pungi contract 4.
 */
export function sourcePackage(known: Omit<SourcePackage, 'nevra' | 'location'>): SourcePackage {
  const nevra = formatNevra(known);
  return {
    ...known,
    nevra,
    location: `Packages/${known.fileName.charAt(0).toLowerCase()}/${known.fileName}`,
  };
}

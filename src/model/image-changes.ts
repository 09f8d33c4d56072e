import { formatEvr, type Evr } from './evr.ts';
import { compareHeld, readVersion, type Image } from './image.ts';

/** A package that an image would get in another version. */
export interface PackageChange {
  readonly name: string;
  /** As the image's list has it. */
  readonly from: string;
  /** With epoch. */
  readonly to: string;
}

/** What of an image would change if it were built again. */
export interface ImageChange {
  readonly image: Pick<Image, 'name' | 'reference'>;
  /** By basearch, those of packages by name; arches in which nothing changes are left out. */
  readonly arches: Readonly<Record<string, readonly PackageChange[]>>;
}

/** The newest version of each package that a compose offers in one arch, by name. */
export type OfferedPackages = ReadonlyMap<string, Evr>;

/** The images that a compose changes, as its announcement names them. */
export interface AnnouncedImages {
  /** Names, sorted. */
  readonly images: readonly string[];
  /** Whether there are more than are named. */
  readonly more: boolean;
}

/** Messages have limits. */
const MOST_ANNOUNCED = 500;

/**
 * Returns which of these images a compose has newer packages for than they hold, sorted by name. What a compose has in an
 * older version changes nothing: an image that is built again keeps the newer one of its base.
 */
export function findImageChanges(
  images: readonly Image[],
  offered: ReadonlyMap<string, OfferedPackages>,
): readonly ImageChange[] {
  return images
    .flatMap((image) => {
      const arches = Object.entries(image.packages).flatMap(([arch, packages]) => {
        const changes = changesOf(packages, offered.get(arch));
        return changes.length === 0 ? [] : [[arch, changes] as const];
      });
      if (arches.length === 0) return [];
      const { name, reference } = image;
      return [{ image: { name, reference }, arches: Object.fromEntries(arches) }];
    })
    .sort((left, right) => (left.image.name < right.image.name ? -1 : 1));
}

function changesOf(
  packages: Readonly<Record<string, string>>,
  offered: OfferedPackages | undefined,
): readonly PackageChange[] {
  if (offered === undefined) return [];
  return Object.entries(packages).flatMap(([name, from]) => {
    const to = offered.get(name);
    if (to === undefined || compareHeld(readVersion(from), to) >= 0) return [];
    return [{ name, from, to: formatEvr(to) }];
  });
}

/** Returns what an announcement names of the images that change. */
export function toAnnouncedImages(changes: readonly ImageChange[]): AnnouncedImages {
  return {
    images: changes.slice(0, MOST_ANNOUNCED).map(({ image }) => image.name),
    more: changes.length > MOST_ANNOUNCED,
  };
}

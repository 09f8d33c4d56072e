import { TEMPORARY, type ComposeRequest } from '../model/compose.ts';
import type { ContentId } from '../model/content-id.ts';
import type { ImageTask } from '../model/image-task.ts';
import type { FileStamp } from '../model/file-stamp.ts';
import type { Nevra } from '../model/nevra.ts';
import type { ProductmdModules } from '../rpm/productmd-modules.ts';
import type { ProductmdRelease, ProductmdVariant } from '../rpm/productmd-variant.ts';
import type { RepodataChecksum } from '../rpm/repodata/repodata-checksum.ts';
import type { ExtraRecord } from '../rpm/repodata/extra-record.ts';
import type { RepodataPackage } from '../rpm/repodata/write-repodata.ts';
import type { Log } from '../log.ts';
import type { Delegate } from './delegate.ts';

/** Where the bytes of an RPM are. */
export type PackageOrigin =
  | {
      readonly kind: 'file';
      readonly path: string;
      /**
       * How the file looked when its content was read. One that looks otherwise, or has none, is compared with the
       * digest of its payload when it is placed.
       */
      readonly stamp?: FileStamp | null;
      /** The repository that says what the file is, for people. */
      readonly repository?: string;
    }
  | {
      readonly kind: 'http';
      readonly url: string;
      /** SHA-256 of the whole file, hex, where it is known beforehand. */
      readonly sha256: string | null;
      readonly repository?: string;
    };

/** One RPM file a source offers. */
export interface SourcePackage extends Nevra {
  /** With epoch. */
  readonly nevra: string;
  /** Its file name where that does not follow from the NEVRA, else empty. */
  readonly oddName: string;
  /** Where it lies in a repository of a compose: `Packages/e/ed-1.14-2.x86_64.rpm`. */
  readonly location: string;
  /** File name of its source RPM; null for a source package. */
  readonly sourceRpm: string | null;
  readonly fileName: string;
  readonly payload: ContentId;
  /** Eight lower-case hex digits, null when unsigned, undefined when only the file itself can tell. */
  readonly sigkey: string | null | undefined;
  /** Bytes of the file. */
  readonly size: number;
  readonly origin: PackageOrigin;
}

/** A package of a tree and the reason it is there. */
export interface SelectedPackage {
  readonly package: SourcePackage;
  /** `input`, `required by bash through libc.so.6`, … */
  readonly why: string;
}

/** The repositories of one arch of a variant. */
export type TreeKind = 'binary' | 'debug' | 'source';

/** What one arch of a variant holds. */
export interface SelectedTree extends Readonly<Record<TreeKind, readonly SelectedPackage[]>> {
  /** Its uid. */
  readonly variant: string;
  readonly arch: string;
}

/** A file beside the packages' own metadata in the `os` repository of a tree: comps, modules, updateinfo. */
export interface ComposeDocument {
  /** Its uid. */
  readonly variant: string;
  readonly arch: string;
  /** Of its record in `repomd.xml`: `group`, `modules`. One tree has one document of a type. */
  readonly type: string;
  /** Without checksum and compression: `modules.yaml`. */
  readonly name: string;
  readonly bytes: Uint8Array;
  readonly compression: ExtraRecord['compression'];
}

export interface UnresolvedDependencies {
  readonly variant: string;
  readonly arch: string;
  /** `name.arch` of the package that wants them. */
  readonly package: string;
  readonly dependencies: readonly string[];
}

/** A file that lies in a tree beside packages and repodata. */
export interface TreeFile {
  /** Uid of the variant. */
  readonly variant: string;
  /** `src` for the tree of sources. */
  readonly arch: string;
  /** Relative to the tree. */
  readonly path: string;
  readonly bytes: Uint8Array;
  /** Name of a digest to its hex digits, as the metadata tell them. */
  readonly checksums: Readonly<Record<string, string>>;
}

/** How the repositories of a compose are laid out. */
export interface RepositoryLayout {
  /** Packages lie below the first letters of their names. */
  readonly areDirectoriesHashed: boolean;
  /** What the repodata call packages and files by. */
  readonly checksum: RepodataChecksum;
}

/** What the repoclosure of a tree found, and what it leant on. Source: main compose contract 10. */
export interface RepoclosureCheck {
  readonly variant: string;
  readonly arch: string;
  /** Package arches, the best first. */
  readonly arches: readonly string[];
  /** Uids of other variants whose packages of this arch count. */
  readonly supporters: readonly string[];
  /** Locations of lookaside repositories. */
  readonly lookasides: readonly string[];
  /** Packages without an epoch of 0. */
  readonly unresolved: readonly { readonly nevra: string; readonly dependencies: readonly string[] }[];
}

/** A repository of somebody else that the `.repo` file of a compose names; nothing of it is in the compose. */
export interface ForeignRepository {
  /** Of its section. */
  readonly id: string;
  /** With `$basearch` where it stands for one of each arch. */
  readonly url: string;
  /** Whether readers go on without it where it cannot be had. */
  readonly maySkip: boolean;
  /** What its metadata are: an arch and a digest each, `?` for one that is not known. */
  readonly digests: readonly string[];
}

/** A build that is not taken although its tag has it. */
export interface ReplacedBuild {
  /** Its NVR. */
  readonly build: string;
  /** NVR of the one that is taken in its place; null where there is none. */
  readonly instead: string | null;
}

/** Values that are known only once the inputs are read; ODCS shows them in the compose. */
export interface SelectionPins {
  readonly source: string;
  readonly kojiEvent: number | null;
  readonly arches?: string;
  readonly sigkeys?: string;
}

/** Everything a compose will hold, decided, without a byte written. Plain data: see `plan-file.ts`. */
export interface Selection {
  readonly pins: SelectionPins;
  /** What the metadata say the compose is a release of; null where it is one of its own. */
  readonly release: ProductmdRelease | null;
  /** Every variant that a tree names. */
  readonly variants: readonly ProductmdVariant[];
  readonly trees: readonly SelectedTree[];
  /** Repositories that the `.repo` file names instead of those of the compose; empty where it has its own. */
  readonly foreign: readonly ForeignRepository[];
  readonly documents: readonly ComposeDocument[];
  readonly layout: RepositoryLayout;
  /** Files beside packages and repodata; null where nobody asks for any, and no list of them is written. */
  readonly files: readonly TreeFile[] | null;
  /** Of trees whose repoclosure was asked for; each has a log. */
  readonly repoclosures: readonly RepoclosureCheck[];
  /** Images that Koji makes of the finished repositories. */
  readonly imageTasks: readonly ImageTask[];
  /** Payload of `metadata/modules.json`, without the paths that are known once written; empty where there are none. */
  readonly modulesJson: ProductmdModules;
  readonly unresolved: readonly UnresolvedDependencies[];
  /** Requested patterns that matched nothing in any arch. */
  readonly unmatched: readonly string[];
  /** Builds that were left out of a tag, as far as all who may read the compose may know of them. */
  readonly replaced: readonly ReplacedBuild[];
  /** Sentences people should read before they use the compose. They stand in its `.repo` file. */
  readonly warnings: readonly string[];
  /**
   * Sentences about this making of it, which the same content made at another time may not have: shown with the
   * warnings, but neither written into the compose nor a part of its fingerprint.
   */
  readonly remarks: readonly string[];
  /** Comment lines of the `.repo` file, without `#`. */
  readonly notes: readonly string[];
}

/** The variant of composes that have one only. */
export const temporaryVariant: ProductmdVariant = {
  uid: TEMPORARY,
  id: TEMPORARY,
  name: TEMPORARY,
  type: 'variant',
  parent: null,
  release: null,
  emptyArches: [],
  descriptions: {},
};

/** The layout of every compose that says nothing else. */
const hashedLayout: RepositoryLayout = { areDirectoriesHashed: true, checksum: 'sha256' };

/** Returns a selection of the variant `Temporary`: what is known of it, everything else empty. */
export function newSelection(
  known: Pick<Selection, 'pins' | 'trees'> & Partial<Omit<Selection, 'variants'>>,
): Selection {
  return {
    release: null,
    variants: [temporaryVariant],
    foreign: [],
    documents: [],
    layout: hashedLayout,
    files: null,
    repoclosures: [],
    imageTasks: [],
    modulesJson: {},
    unresolved: [],
    unmatched: [],
    replaced: [],
    warnings: [],
    remarks: [],
    notes: [],
    ...known,
  };
}

/** Reads what the packages of a selection are made of, where its source has them. */
export interface PackageReader {
  /**
   * The metadata of chosen packages, in their order; each made, or a function that makes it when it is written. The same
   * object of a package has the same metadata, whenever it is asked for.
   */
  readonly loadFragments: (
    packages: readonly SourcePackage[],
    signal: AbortSignal,
  ) => Promise<readonly RepodataPackage['fragments'][]>;
  /** Called with what the file of a package turned out to be where it is placed: the same, or (null) lost or another one. */
  readonly noteFile?: (rpm: SourcePackage, found: FileStamp | null) => void;
}

export interface Progress {
  (stage: string, done: number, total: number, unit: string): void;
}

/** What a selection will be made of: pinned, and not looked into yet. */
export interface PinnedInputs {
  /** Digest of everything that decides what is selected. */
  readonly digest: string;
  readonly pins: SelectionPins;
}

/** What every source gets beside its own means. */
export interface SelectContext {
  readonly log: Log;
  readonly signal: AbortSignal;
  readonly progress: Progress;
  /** Until when packages that are not signed yet are waited for, where a request wants that; left out for not at all. */
  readonly signaturesUntil?: Date;
  /** Whether the compose will be open to some people only. Left out where it is open to everybody. */
  readonly isPrivate?: boolean;
  /**
   * Called by sources that know their inputs before they look into them. What it throws ends the selection: somebody has
   * what it would bring.
   */
  readonly noteInputs?: (inputs: PinnedInputs) => Promise<void>;
}

/** What a source decided, and the way to the packages it chose. */
export interface Selected {
  readonly selection: Selection;
  readonly reader: PackageReader;
  /** Digest of its inputs; left out where equal ones may bring another selection. */
  readonly inputs?: string;
  /** What makes the whole compose instead; the selection names no packages then. */
  readonly delegate?: Delegate;
}

/** A source type: reads its inputs, pins them and decides what the compose holds. Never writes. */
export type SelectPackages = (context: SelectContext, request: ComposeRequest) => Promise<Selected>;

import type { ComposeRequest } from '../model/compose.ts';
import type { Nevra } from '../model/nevra.ts';
import type { ProductmdModules } from '../rpm/productmd-modules.ts';
import type { RepodataPackage } from '../rpm/repodata/write-repodata.ts';
import type { Log } from '../log.ts';

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

/** What tells a file from one that replaced it. */
export interface FileStamp {
  /** Milliseconds, whole. */
  readonly modified: number;
  readonly inode: number;
}

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
  /** What identifies its content: `sha256:<of the file>`, or `pkgid:<of the file>` for a digest of another kind. */
  readonly payload: string;
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

/** What one arch of the compose holds. */
export interface SelectedTree {
  readonly arch: string;
  readonly binary: readonly SelectedPackage[];
  readonly debug: readonly SelectedPackage[];
  readonly source: readonly SelectedPackage[];
}

export interface UnresolvedDependencies {
  readonly arch: string;
  /** `name.arch` of the package that wants them. */
  readonly package: string;
  readonly dependencies: readonly string[];
}

/** What a source answers: everything the compose will hold, decided, without a byte written. */
export interface Selection {
  /** Values that are known only once the inputs are read; ODCS shows them in the compose. */
  readonly pins: {
    readonly source: string;
    readonly kojiEvent: number | null;
    readonly arches?: string;
    readonly sigkeys?: string;
  };
  readonly trees: readonly SelectedTree[];
  /** Document of the `group` record of the os repositories, or null for none. */
  readonly comps: Uint8Array | null;
  /** `modules.yaml` by arch. */
  readonly modules: ReadonlyMap<string, Uint8Array>;
  /** Payload of `metadata/modules.json`, without the paths that are known once written; empty where there are none. */
  readonly modulesJson: ProductmdModules;
  readonly unresolved: readonly UnresolvedDependencies[];
  /** Requested patterns that matched nothing in any arch. */
  readonly unmatched: readonly string[];
  /** Sentences people should read before they use the compose. */
  readonly warnings: readonly string[];
  /** Comment lines of the `.repo` file, without `#`. */
  readonly notes: readonly string[];
  /** The metadata of chosen packages, in their order; each made, or a function that makes it when it is written. */
  readonly loadFragments: (
    packages: readonly SourcePackage[],
    signal: AbortSignal,
  ) => Promise<readonly RepodataPackage['fragments'][]>;
  /** Called with what the file of a package turned out to be where it is placed: the same, or (null) lost or another one. */
  readonly noteFile?: (one: SourcePackage, found: FileStamp | null) => void;
}

export interface Progress {
  (stage: string, done: number, total: number, unit: string): void;
}

/** What every source gets beside its own means. */
export interface SelectContext {
  readonly log: Log;
  readonly signal: AbortSignal;
  readonly progress: Progress;
}

/** A source type: reads its inputs, pins them and decides what the compose holds. Never writes. */
export type SelectPackages = (context: SelectContext, request: ComposeRequest) => Promise<Selection>;

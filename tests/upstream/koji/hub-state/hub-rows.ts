import type { XmlRpcStruct, XmlRpcValue } from '../../../../src/upstream/koji/xml-rpc-value.ts';

/** Numbers of the states of a build. Source: Koji contract 4.3. */
export const BUILD_STATE = { building: 0, complete: 1, deleted: 2, failed: 3, canceled: 4 } as const;
export type BuildStateNumber = (typeof BUILD_STATE)[keyof typeof BUILD_STATE];

/** A build as the hub stores it; nothing of it is versioned. Times are seconds. */
export interface StoredBuild {
  readonly id: number;
  readonly packageName: string;
  readonly version: string;
  readonly release: string;
  readonly epoch: number | null;
  readonly state: BuildStateNumber;
  readonly volume: string;
  readonly isDraft: boolean;
  readonly owner: string;
  readonly taskId: number | null;
  readonly extra: XmlRpcStruct | null;
  readonly archives: readonly XmlRpcStruct[];
  readonly createdBy: number;
  readonly createdAt: number;
  readonly completedAt: number | null;
}

/** An RPM of a build. */
export interface StoredRpm {
  readonly id: number;
  readonly buildId: number;
  readonly name: string;
  readonly version: string;
  readonly release: string;
  readonly epoch: number | null;
  readonly arch: string;
  readonly size: number;
  readonly payloadHash: string | null;
  readonly buildTime: number;
}

/** A task; states as Koji numbers them. Source: Koji contract 4.4. */
export interface StoredTask {
  readonly id: number;
  readonly parent: number | null;
  readonly method: string;
  readonly arch: string;
  readonly owner: string;
  readonly request: readonly XmlRpcValue[];
  readonly createdAt: number;
  readonly state: number;
  readonly result: XmlRpcValue;
}

/** The name-version-release of a build. */
export function nvrOf(build: Pick<StoredBuild, 'packageName' | 'version' | 'release'>): string {
  return `${build.packageName}-${build.version}-${build.release}`;
}

export interface TagConfigRow {
  readonly tagId: number;
  readonly arches: string;
  readonly isLocked: boolean;
}
export interface TagExtraRow {
  readonly tagId: number;
  readonly key: string;
  readonly value: XmlRpcValue;
}
export interface TagListingRow {
  readonly tagId: number;
  readonly buildId: number;
}
export interface TagPackageRow {
  readonly tagId: number;
  readonly packageId: number;
  readonly owner: string;
  readonly isBlocked: boolean;
}
/** A link from a tag to a parent. Source: Koji contract 3. */
export interface InheritanceRow {
  readonly tagId: number;
  readonly parentId: number;
  readonly priority: number;
  readonly maxdepth: number | null;
  readonly isIntransitive: boolean;
  readonly isNoconfig: boolean;
  /** A Python regular expression, matched from the start of the name; '' is none. */
  readonly pkgFilter: string;
}
export interface TargetRow {
  readonly targetId: number;
  readonly buildTagId: number;
  readonly destTagId: number;
}
/** A change of a tag's content that no versioned table shows: a volume, a promotion, a late RPM. */
export interface TagUpdateRow {
  readonly tagId: number;
  readonly buildId: number;
}

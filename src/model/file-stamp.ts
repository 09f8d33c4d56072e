/** What tells a file from one that replaced it. */
export interface FileStamp {
  /** Milliseconds, whole. */
  readonly modified: number;
  readonly inode: number;
}

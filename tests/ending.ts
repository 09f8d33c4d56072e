/** What stops a helper's servers: a test's own context, or whatever else runs endings when it is done. */
export interface Ending {
  after(ending: () => unknown): void;
}

/**
 * Runs things side by side. Where one fails, the signal of the others aborts; when all have ended, the first failure
 * is thrown.
 */
export async function runTogether(
  outer: AbortSignal,
  works: readonly ((signal: AbortSignal) => Promise<void>)[],
): Promise<void> {
  const failed = new AbortController();
  const signal = AbortSignal.any([outer, failed.signal]);
  const failures: unknown[] = [];
  const run = async (work: (typeof works)[number]): Promise<void> => {
    try {
      await work(signal);
    } catch (error) {
      failures.push(error);
      failed.abort(error);
    }
  };
  await Promise.all(works.map(run));
  if (failures.length > 0) throw failures[0];
}

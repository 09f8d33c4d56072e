/**
 * Makes batches a little ahead of the one who takes their things in order: `take(batch)` starts that batch and the
 * next `ahead` ones. It is called once for every thing of a batch, and the batch is forgotten then. `sizes` are
 * the things of every batch.
 */
export function prefetch<Batch>(
  sizes: readonly number[],
  ahead: number,
  make: (batch: number) => Promise<Batch>,
): (batch: number) => Promise<Batch> {
  const batches = new Map<number, { readonly made: Promise<Batch>; left: number }>();
  let started = 0;
  return async (number) => {
    for (; started <= Math.min(number + ahead, sizes.length - 1); started += 1) {
      const made = make(started);
      made.catch(() => undefined);
      batches.set(started, { made, left: sizes[started] ?? 0 });
    }
    const batch = batches.get(number);
    if (!batch) throw new Error(`Batch ${number} was taken before.`);
    batch.left -= 1;
    if (batch.left === 0) batches.delete(number);
    return batch.made;
  };
}

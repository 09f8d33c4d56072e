/**
 * Makes things in batches a little ahead of the one who takes them in order: `take(index)` starts the batch of
 * that thing and the next `ahead` ones. Every thing is taken once, and forgotten then.
 */
export function prefetch<Thing>(
  count: number,
  batchSize: number,
  ahead: number,
  make: (from: number, to: number) => Promise<readonly Thing[]>,
): (index: number) => Promise<Thing> {
  const batches = new Map<number, { readonly things: Promise<readonly Thing[]>; left: number }>();
  let started = 0;
  const start = (batch: number) => {
    const from = batch * batchSize;
    const to = Math.min(count, from + batchSize);
    const things = make(from, to);
    things.catch(() => undefined);
    batches.set(batch, { things, left: to - from });
  };
  return async (index) => {
    const number = Math.floor(index / batchSize);
    for (; started <= number + ahead && started * batchSize < count; started += 1) start(started);
    const batch = batches.get(number);
    const thing = (await batch?.things)?.[index % batchSize];
    if (!batch || thing === undefined) throw new Error(`Thing ${index} of ${count} was taken before.`);
    batch.left -= 1;
    if (batch.left === 0) batches.delete(number);
    return thing;
  };
}

/**
 * Makes things in batches a little ahead of the one who takes them in order: `take(batch, index)` starts that
 * batch and the next `ahead` ones. Every thing is taken once, and forgotten then. `sizes` are the things of
 * every batch.
 */
export function prefetch<Thing>(
  sizes: readonly number[],
  ahead: number,
  make: (batch: number) => Promise<readonly Thing[]>,
): (batch: number, index: number) => Promise<Thing> {
  const batches = new Map<number, { readonly things: Promise<readonly Thing[]>; left: number }>();
  let started = 0;
  const start = (batch: number, size: number) => {
    const things = make(batch);
    things.catch(() => undefined);
    batches.set(batch, { things, left: size });
  };
  return async (number, index) => {
    for (; started <= Math.min(number + ahead, sizes.length - 1); started += 1) {
      start(started, sizes[started] ?? 0);
    }
    const batch = batches.get(number);
    const thing = (await batch?.things)?.[index];
    if (!batch || thing === undefined) throw new Error(`Thing ${index} of batch ${number} was taken before.`);
    batch.left -= 1;
    if (batch.left === 0) batches.delete(number);
    return thing;
  };
}

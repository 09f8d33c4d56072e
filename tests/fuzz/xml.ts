import { setImmediate } from 'node:timers/promises';
import { assertLinear } from './growth.ts';
import type { FuzzRun } from './main.ts';
import { Random } from './random.ts';
import { listXmlShapes, mixFillings } from './xml-shapes.ts';

const SIZES = { from: 8 * 1024, to: 256 * 1024 };

/**
 * Reads hostile repodata at doubling sizes: the time for a byte may not grow with the size, and nothing but a
 * ReactorError may come out. First the known shapes, each once, then random ones until the time is over.
 */
export async function fuzz({ seed, lasting }: FuzzRun): Promise<number> {
  let cases = 0;
  for (const shape of listXmlShapes()) {
    await assertLinear(shape, SIZES);
    cases += 1;
  }
  const random = new Random(seed);
  const until = Date.now() + lasting;
  while (Date.now() < until) {
    for (const shape of listXmlShapes([mixFillings(random)])) {
      await assertLinear(shape, SIZES);
      cases += 1;
    }
    await setImmediate();
  }
  return cases;
}

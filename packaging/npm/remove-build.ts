import { rmSync } from 'node:fs';
import { resolve } from 'node:path';

/** Removes what `build.ts` made, once it is packed: a checkout runs its sources. */
rmSync(resolve(import.meta.dirname, '../../dist'), { recursive: true, force: true });

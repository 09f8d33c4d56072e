import { setFlagsFromString } from 'node:v8';

/**
 * Keeps the room for young objects as small as it is: V8 doubles it, up to 64 MB, while modules are loaded, and gives
 * none of it back (docs/decisions/0023).
 */
export function keepYoungSmall(): void {
  setFlagsFromString('--semi-space-growth-factor=1');
}

/** Lets that room grow as V8 does by itself. */
export function letYoungGrow(): void {
  setFlagsFromString('--semi-space-growth-factor=2');
}

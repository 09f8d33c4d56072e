import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * Compares a manifest with the one that an earlier version made of the same inputs: where they differ, every service
 * that is upgraded makes its composes again.
 */
export function assertRecordedManifest(name: string, manifest: readonly string[]): void {
  const file = join(import.meta.dirname, 'recorded-manifests', `${name}.txt`);
  assert.deepEqual(manifest, readFileSync(file, 'utf8').trimEnd().split('\n'));
}

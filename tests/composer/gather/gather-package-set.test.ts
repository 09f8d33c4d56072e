import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { z } from 'zod';
import { checkDependencies } from '../../../src/composer/gather/gather-result.ts';
import { gatherPackageSet, type ArchResult } from '../../../src/composer/gather/gather-package-set.ts';
import { fileSourcesOf, loadRepositories } from '../../../src/composer/gather/load-repositories.ts';
import { formatNevra } from '../../../src/model/nevra.ts';
import { sharedPath } from '../../shared.ts';

const rpms = z.record(
  z.string(),
  z.record(z.string(), z.record(z.string(), z.record(z.string(), z.unknown()))),
);
const vectors = z
  .array(
    z.object({
      name: z.string(),
      errors: z.array(z.string()),
      request: z.object({
        source: z.string().optional(),
        packages: z.array(z.string()).default([]),
        arches: z.array(z.string()).default(['x86_64']),
        gather_method: z.enum(['deps', 'nodeps']).default('deps'),
      }),
      rpms_json: z.unknown(),
    }),
  )
  .parse(JSON.parse(readFileSync(sharedPath('pungi', 'compose-vectors.json'), 'utf8')));

const restrictions: Record<string, { excludeArch: string[]; exclusiveArch: string[] }> = {
  'e-noarch-excl': { excludeArch: [], exclusiveArch: ['x86_64', 'noarch'] },
  'e-noarch-excl2': { excludeArch: ['ppc64le'], exclusiveArch: [] },
};

function locate(source: string): string {
  return source.startsWith('odcs/') ? sharedPath(source) : sharedPath('pungi', source);
}

/** Arch -> sorted NEVRAs, as rpms.json has them. */
function recordedOf(json: unknown): Record<string, string[]> {
  const payload = z.object({ payload: z.object({ rpms }) }).safeParse(json);
  const byVariant = payload.success ? payload.data.payload.rpms : rpms.parse(json);
  const arches: Record<string, string[]> = {};
  for (const [arch, sources] of Object.entries(byVariant['Temporary'] ?? {})) {
    arches[arch] = Object.values(sources).flatMap(Object.keys).sort();
  }
  return arches;
}

function answered(results: readonly ArchResult[]): Record<string, string[]> {
  const arches: Record<string, string[]> = {};
  for (const { arch, result } of results) {
    const ids = [...result.binary, ...result.debug, ...result.source];
    if (ids.length > 0) arches[arch] = ids.map((id) => formatNevra(result.index.nevraOf(id))).sort();
  }
  return arches;
}

async function gatherRecorded(
  request: (typeof vectors)[number]['request'],
  isShared: boolean,
): Promise<ArchResult[]> {
  const load = () => loadRepositories({}, [{ location: locate(request.source ?? ''), isLookaside: false }]);
  const shared = await load();
  const inputs = [];
  for (const arch of request.arches) {
    const loaded = isShared ? shared : await load();
    inputs.push({ arch, index: loaded.index, files: fileSourcesOf(loaded), multilibMethods: [] });
  }
  return gatherPackageSet({}, inputs, {
    set: 'repositories',
    method: request.gather_method,
    packages: request.packages,
    archRestrictionsOf: (index, source) => restrictions[index.nameOf(source)] ?? null,
  });
}

for (const { name, request, rpms_json: json, errors } of vectors.filter(
  (vector) => vector.request.source !== undefined,
)) {
  if (errors.length === 0) {
    test(`a compose of a repository has the packages recorded for ${name}`, async () => {
      assert.deepEqual(answered(await gatherRecorded(request, true)), recordedOf(json));
      assert.deepEqual(answered(await gatherRecorded(request, false)), recordedOf(json));
    });
  } else {
    test(`check_deps reports what was recorded for ${name}`, async () => {
      const [first] = await gatherRecorded(request, true);
      assert.ok(first !== undefined);
      const lines = checkDependencies(first.result, 'Temporary', first.arch);
      const recorded = errors.filter((line) => line.startsWith('Unresolved dependencies for'));
      assert.deepEqual(lines, recorded);
    });
  }
}

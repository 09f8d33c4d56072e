import assert from 'node:assert/strict';
import { test } from 'node:test';
import { z } from 'zod';
import { composeRecorded, withPlaceholders, type ComposeFacts } from './compose-recorded.ts';
import { readVectors, type MainVector } from './recorded-vectors.ts';

type Part = 'errors' | 'warnings' | 'trees' | 'all';

/** What is another than recorded, and why. Everything else of every record is equal. */
const deviations: Readonly<Record<string, { readonly parts: readonly Part[]; readonly reason: string }>> = {
  'system-release-detected': {
    parts: ['all'],
    reason:
      'recorded with a repaired detection that no release has; release packages are never singled out here',
  },
  'system-release-detected-matching': {
    parts: ['all'],
    reason:
      'recorded with a repaired detection that no release has; release packages are never singled out here',
  },
  'system-release-detected-everything': {
    parts: ['all'],
    reason:
      'recorded with a repaired detection that no release has; release packages are never singled out here',
  },
  'sigkeys-missing': {
    parts: ['warnings'],
    reason:
      'sources that are not signed are not missing when ExclusiveArch is looked up, so nothing warns of them',
  },
  'sigkeys-strict-ok': {
    parts: ['warnings'],
    reason:
      'sources that are not signed are not missing when ExclusiveArch is looked up, so nothing warns of them',
  },
};

/** Whether a part of a record is to be equal. */
function isCompared(vector: MainVector, part: Part): boolean {
  const parts = deviations[vector.name]?.parts ?? [];
  return !parts.includes('all') && !parts.includes(part);
}

/** Lines of a log without their level; those that only the reference composer's log has are left out. */
function linesOf(lines: readonly string[]): string[] {
  const texts = lines
    .filter(
      (line) =>
        !line.startsWith('[CRITICAL]') && !line.startsWith('[ERROR   ] RPM {') && !line.startsWith('...'),
    )
    .map((line) => line.replace(/^\[[A-Z ]+\] /, ''));
  return [...new Set(texts.flatMap((text) => text.split('\n')))];
}

function checkErrors(vector: MainVector, facts: ComposeFacts): void {
  const recorded = vector.result.output;
  const output = typeof recorded === 'string' ? recorded : (recorded ?? []).join('\n');
  if (output !== '' && facts.errors.length === 0) assert.equal(facts.output, output.trim());
  else if (vector.result.status === undefined && facts.output !== '') {
    assert.equal(facts.output, output.trim().replace(/^pungi-koji: error: /, ''));
  } else assert.deepEqual(linesOf(facts.errors), linesOf(vector.result.errors));
}

const moduleEntry = z.record(z.string(), z.record(z.string(), z.record(z.string(), z.looseObject({}))));

/** Modules without the paths of repodata, which only its writing tells. */
function withoutPaths(modules: unknown): unknown {
  const parsed = moduleEntry.parse(modules);
  for (const byArch of Object.values(parsed)) {
    for (const entries of Object.values(byArch)) {
      for (const entry of Object.values(entries)) entry['modulemd_path'] = {};
    }
  }
  return parsed;
}

const fileLists = z.record(z.string(), z.record(z.string(), z.array(z.looseObject({ file: z.string() }))));

/** The lists of a directory come in no order. */
function sortFiles(files: unknown): unknown {
  const parsed = fileLists.parse(files);
  for (const byArch of Object.values(parsed)) {
    for (const list of Object.values(byArch)) list.sort((a, b) => (a.file < b.file ? -1 : 1));
  }
  return parsed;
}

function sectionsOf(text: string): Record<string, Record<string, string>> {
  const sections: Record<string, Record<string, string>> = {};
  let entries: Record<string, string> = {};
  for (const line of text.split('\n')) {
    const section = /^\[(.*)\]$/.exec(line)?.[1];
    const [, key = '', value = ''] = /^([^;=]*?) ?= ?(.*)$/.exec(line) ?? [];
    if (section !== undefined) {
      entries = {};
      sections[section] = entries;
    } else if (key !== '') {
      const isTime = ['timestamp', 'build_timestamp', 'mediaid'].includes(key);
      entries[key] = isTime ? '@TIME@' : value;
    }
  }
  return sections;
}

function checkMetadata(vector: MainVector, facts: ComposeFacts): void {
  const { metadata } = vector.result;
  assert.deepEqual(facts.metadata['composeinfo.json'], metadata['composeinfo.json']);
  assert.deepEqual(facts.metadata['rpms.json'], metadata['rpms.json']);
  const { modules } = z.object({ modules: z.unknown() }).parse(metadata['modules.json']);
  assert.deepEqual(withoutPaths(facts.metadata['modules.json']), withoutPaths(modules));
  const own = facts.metadata['extra_files.json'];
  const recorded = metadata['extra_files.json'];
  const schema = z.object({ compose: z.unknown(), extra_files: z.unknown() });
  assert.equal(own === undefined, recorded === undefined);
  if (own !== undefined) {
    assert.deepEqual(schema.parse(own).compose, schema.parse(recorded).compose);
    assert.deepEqual(sortFiles(schema.parse(own).extra_files), sortFiles(schema.parse(recorded).extra_files));
  }
}

function checkDotFiles(vector: MainVector, facts: ComposeFacts): void {
  const ofName = (name: string): [string, string][] =>
    [...facts.dotFiles].filter(([path]) => path.endsWith(`/${name}`)).sort(([a], [b]) => (a < b ? -1 : 1));
  const { treeinfo, discinfo, media_repo: media } = vector.result;
  assert.deepEqual(
    Object.fromEntries(ofName('.treeinfo').map(([path, text]) => [path, sectionsOf(text)])),
    treeinfo,
  );
  assert.deepEqual(
    Object.fromEntries(ofName('media.repo').map(([path, text]) => [path, sectionsOf(text)])),
    media,
  );
  assert.deepEqual(
    Object.fromEntries(ofName('.discinfo').map(([path, text]) => [path, text.trim().split('\n').slice(1)])),
    discinfo,
  );
  assert.deepEqual([...facts.dotFiles.keys()].sort(), vector.result.files.toSorted());
}

function checkLinks(vector: MainVector, facts: ComposeFacts): void {
  assert.equal(facts.id, vector.result.compose_id_file);
  const directory = vector.name === 'compose-dir' ? 'mycompose' : facts.id;
  const link = facts.latestLink === null ? [] : [`${facts.latestLink} -> ${directory}`];
  assert.deepEqual([directory, ...link].sort(), vector.result.target);
}

for (const vector of readVectors()) {
  const deviation = deviations[vector.name];
  const but = deviation === undefined ? '' : `, but for ${deviation.parts.join(', ')}: ${deviation.reason}`;
  test(`plans the main compose "${vector.name}" as recorded${but}`, async () => {
    const facts = await composeRecorded(vector);
    if (isCompared(vector, 'errors')) checkErrors(vector, facts);
    if (isCompared(vector, 'warnings')) {
      const own = facts.warnings.map(withPlaceholders).flatMap((warning) => warning.split('\n'));
      assert.deepEqual(own.sort(), linesOf(vector.result.warnings).sort());
    }
    if (!isCompared(vector, 'trees')) return;
    if (vector.result.exit !== 0) {
      assert.deepEqual(facts.rpms, {}, 'a failed compose has no trees');
      return;
    }
    assert.deepEqual(facts.rpms, vector.result.rpms);
    assert.deepEqual(facts.comps, vector.result.comps);
    for (const [name, text] of Object.entries(vector.result.work_comps)) {
      assert.equal(facts.workComps[name]?.trimEnd(), text.trimEnd(), name);
    }
    checkMetadata(vector, facts);
    checkDotFiles(vector, facts);
    checkLinks(vector, facts);
  });
}

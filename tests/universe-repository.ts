import { spawnSync } from 'node:child_process';
import { hash } from 'node:crypto';
import { createReadStream, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { gzipSync } from 'node:zlib';
import { z } from 'zod';
import { escapeXml } from '../src/rpm/repodata/escape-xml.ts';
import { sharedPath } from './shared.ts';

const dependency = z.array(z.string().nullable());
const record = z.object({
  name: z.string(),
  epoch: z.union([z.string(), z.number()]),
  version: z.string(),
  release: z.string(),
  arch: z.string(),
  sourcerpm: z.string().nullish(),
  provides: z.array(z.union([z.string(), dependency])),
  requires: z.array(z.union([z.string(), dependency])),
  files: z.array(z.tuple([z.string(), z.string(), z.number()])),
});

export type UniverseRecord = z.infer<typeof record>;

function evrAttributes(evr: string): string {
  const colon = evr.indexOf(':');
  const rest = evr.slice(colon + 1);
  const dash = rest.lastIndexOf('-');
  const release = dash < 0 ? '' : ` rel="${escapeXml(rest.slice(dash + 1))}"`;
  return `epoch="${colon < 0 ? '0' : evr.slice(0, colon)}" ver="${escapeXml(dash < 0 ? rest : rest.slice(0, dash))}"${release}`;
}

function entries(tag: string, list: UniverseRecord['requires']): string {
  const lines: string[] = [];
  for (const entry of list) {
    const [name, flag, evr] = typeof entry === 'string' ? [entry] : entry;
    if (typeof name !== 'string' || name.startsWith('rpmlib(')) continue;
    const version =
      typeof flag !== 'string' || typeof evr !== 'string' ? '' : ` flags="${flag}" ${evrAttributes(evr)}`;
    lines.push(`      <rpm:entry name="${escapeXml(name)}"${version}/>\n`);
  }
  return lines.length === 0 ? '' : `    <rpm:${tag}>\n${lines.join('')}    </rpm:${tag}>\n`;
}

function isListed(path: string): boolean {
  return path.startsWith('/etc/') || path.includes('bin/') || path === '/usr/lib/sendmail';
}

function fileLine(indent: string, [path, kind]: UniverseRecord['files'][number]): string {
  const type = kind === 'dir' || kind === 'ghost' ? ` type="${kind}"` : '';
  return `${indent}<file${type}>${escapeXml(path)}</file>\n`;
}

/** Writes a repository of the records: primary and filelists in gzip, and repomd.xml. */
export async function writeRepository(
  records: AsyncIterable<UniverseRecord>,
  directory: string,
): Promise<number> {
  const primary: string[] = [];
  const filelists: string[] = [];
  let count = 0;
  for await (const record of records) {
    count += 1;
    const { name, arch, epoch, version, release } = record;
    const file = `${name}-${version}-${release}.${arch}.rpm`;
    const pkgid = hash('sha256', `${epoch}:${file}`, 'hex');
    const evr = `<version epoch="${epoch}" ver="${escapeXml(version)}" rel="${escapeXml(release)}"/>`;
    primary.push(
      `<package type="rpm">\n  <name>${escapeXml(name)}</name>\n  <arch>${arch}</arch>\n  ${evr}\n` +
        `  <checksum type="sha256" pkgid="YES">${pkgid}</checksum>\n  <summary>${escapeXml(name)}</summary>\n` +
        `  <description>A package of a made-up universe: ${escapeXml(name)}.</description>\n  <packager></packager>\n  <url></url>\n` +
        `  <time file="1760000000" build="1760000000"/>\n  <size package="10000" installed="20000" archive="20400"/>\n` +
        `  <location href="Packages/${escapeXml(file)}"/>\n  <format>\n    <rpm:license>MIT</rpm:license>\n` +
        `    <rpm:vendor></rpm:vendor>\n    <rpm:group>Unspecified</rpm:group>\n    <rpm:buildhost>a.invalid</rpm:buildhost>\n` +
        `    <rpm:sourcerpm>${escapeXml(record.sourcerpm ?? '')}</rpm:sourcerpm>\n    <rpm:header-range start="4504" end="9000"/>\n` +
        `${entries('provides', record.provides)}${entries('requires', record.requires)}` +
        `${record.files
          .filter(([path]) => isListed(path))
          .map((entry) => fileLine('    ', entry))
          .join('')}  </format>\n</package>\n`,
    );
    filelists.push(
      `<package pkgid="${pkgid}" name="${escapeXml(name)}" arch="${arch}">\n  ${evr}\n` +
        `${record.files.map((entry) => fileLine('  ', entry)).join('')}</package>\n`,
    );
  }
  const common =
    'xmlns="http://linux.duke.edu/metadata/common" xmlns:rpm="http://linux.duke.edu/metadata/rpm"';
  const head = '<?xml version="1.0" encoding="UTF-8"?>\n';
  mkdirSync(join(directory, 'repodata'), { recursive: true });
  const data = [
    writeRecord(directory, 'primary', [
      `${head}<metadata ${common} packages="${count}">\n`,
      ...primary,
      '</metadata>\n',
    ]),
    writeRecord(directory, 'filelists', [
      `${head}<filelists xmlns="http://linux.duke.edu/metadata/filelists" packages="${count}">\n`,
      ...filelists,
      '</filelists>\n',
    ]),
  ];
  writeFileSync(
    join(directory, 'repodata', 'repomd.xml'),
    `${head}<repomd xmlns="http://linux.duke.edu/metadata/repo">\n  <revision>1</revision>\n${data.join('')}</repomd>\n`,
  );
  return count;
}

function writeRecord(directory: string, type: string, parts: readonly string[]): string {
  const content = Buffer.concat(parts.map((part) => Buffer.from(part)));
  const packed = gzipSync(content, { level: 1 });
  writeFileSync(join(directory, 'repodata', `${type}.xml.gz`), packed);
  return `  <data type="${type}">
    <checksum type="sha256">${hash('sha256', packed, 'hex')}</checksum>
    <open-checksum type="sha256">${hash('sha256', content, 'hex')}</open-checksum>
    <location href="repodata/${type}.xml.gz"/>
    <timestamp>1</timestamp>
    <size>${packed.length}</size>
    <open-size>${content.length}</open-size>
  </data>
`;
}

async function* readRecords(path: string): AsyncGenerator<UniverseRecord> {
  for await (const line of createInterface({ input: createReadStream(path) })) {
    if (line !== '') yield record.parse(JSON.parse(line));
  }
}

/** Generates a Fedora-like universe below `directory` and makes the repository `directory/repo` of it. */
export async function makeUniverse(directory: string, packages: number, seed: number): Promise<string> {
  const made = spawnSync(
    'python3',
    [
      sharedPath('bench', 'gen_repo.py'),
      '--packages',
      String(packages),
      '--seed',
      String(seed),
      '--out',
      directory,
      '--jobs',
      '1',
    ],
    { encoding: 'utf8' },
  );
  if (made.status !== 0) throw new Error(`gen_repo.py failed: ${made.stderr}`);
  const repository = join(directory, 'repo');
  await writeRepository(readRecords(join(directory, 'packages.jsonl')), repository);
  return repository;
}

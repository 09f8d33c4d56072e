import { algorithmOfType } from '../digest-algorithm.ts';
import { homepageOf, type BillPackage, type BillPackages, type BillSubject } from './bill-of-materials.ts';

const SUBJECT = 'SPDXRef-Compose';
const DOCUMENT = 'SPDXRef-DOCUMENT';
const UNKNOWN = 'NOASSERTION';

/**
 * Writes a bill of materials in SPDX 2.3, JSON; the same for the same compose. Binary packages are said to be generated
 * from the source packages among them. Licences are quoted, not asserted: what a header says may be no expression of
 * SPDX. Source: containers contract 4.
 */
export async function* writeSpdx(subject: BillSubject, packages: BillPackages): AsyncGenerator<string> {
  const created = `${subject.created.toISOString().slice(0, 19)}Z`;
  const head = {
    spdxVersion: 'SPDX-2.3',
    dataLicense: 'CC0-1.0',
    SPDXID: DOCUMENT,
    name: subject.name,
    documentNamespace: `${subject.url}/sbom/${subject.fingerprint}`,
    creationInfo: { created, creators: [`Tool: odcs-reactor-${subject.toolVersion}`] },
  };
  yield `${JSON.stringify(head).slice(0, -1)},"packages":[\n${JSON.stringify(describedSubject(subject))}`;
  let count = 0;
  const sources = new Map<string, number>();
  const madeFrom: (string | null)[] = [];
  for await (const some of packages) {
    for (const billed of some) {
      const { sourceRpm } = billed.listed;
      if (sourceRpm === null) sources.set(billed.fileName, count);
      madeFrom.push(sourceRpm);
      yield `,\n${JSON.stringify(describedPackage(billed, idOf(count)))}`;
      count += 1;
    }
  }
  const first = relationship(DOCUMENT, 'DESCRIBES', SUBJECT);
  yield `\n],"relationships":[\n${first}`;
  for (const [at, sourceRpm] of madeFrom.entries()) {
    yield `,\n${relationship(SUBJECT, 'CONTAINS', idOf(at))}`;
    const source = sourceRpm === null ? undefined : sources.get(sourceRpm);
    if (source !== undefined) yield `,\n${relationship(idOf(at), 'GENERATED_FROM', idOf(source))}`;
  }
  yield '\n]}\n';
}

const idOf = (at: number): string => `SPDXRef-Package-${at + 1}`;

function relationship(from: string, relationshipType: string, to: string): string {
  return JSON.stringify({ spdxElementId: from, relationshipType, relatedSpdxElement: to });
}

function describedSubject({ name, version, url }: BillSubject): object {
  return { SPDXID: SUBJECT, name, versionInfo: version, downloadLocation: url, ...nothingAsserted };
}

const nothingAsserted = {
  filesAnalyzed: false,
  licenseConcluded: UNKNOWN,
  licenseDeclared: UNKNOWN,
  copyrightText: UNKNOWN,
} as const;

function describedPackage({ listed, purl, fileName, url, module }: BillPackage, id: string): object {
  const { checksum, license, vendor, summary } = listed;
  const algorithm = algorithmOfType(checksum.type);
  const homepage = homepageOf(listed);
  return {
    SPDXID: id,
    name: listed.name,
    versionInfo: `${listed.version}-${listed.release}`,
    packageFileName: fileName,
    downloadLocation: url ?? UNKNOWN,
    ...nothingAsserted,
    ...(license === '' ? {} : { licenseComments: `The package says: ${license}` }),
    supplier: vendor === '' ? UNKNOWN : `Organization: ${vendor}`,
    ...(homepage === null ? {} : { homepage }),
    ...(summary === '' ? {} : { summary }),
    ...(algorithm === undefined
      ? {}
      : { checksums: [{ algorithm: algorithm.toUpperCase(), checksumValue: checksum.value }] }),
    externalRefs: [{ referenceCategory: 'PACKAGE-MANAGER', referenceType: 'purl', referenceLocator: purl }],
    ...(module === null ? {} : { comment: `rpm_modularity_label: ${module}` }),
  };
}

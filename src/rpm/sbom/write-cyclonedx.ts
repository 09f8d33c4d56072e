import { createHash } from 'node:crypto';
import { algorithmOfType } from '../digest-algorithm.ts';
import { homepageOf, type BillPackage, type BillPackages, type BillSubject } from './bill-of-materials.ts';

const algorithms: ReadonlyMap<string, string> = new Map([
  ['md5', 'MD5'],
  ['sha1', 'SHA-1'],
  ['sha256', 'SHA-256'],
  ['sha384', 'SHA-384'],
  ['sha512', 'SHA-512'],
]);

/** Writes a bill of materials in CycloneDX 1.6, JSON; the same for the same compose. Source: containers contract 4. */
export async function* writeCyclonedx(subject: BillSubject, packages: BillPackages): AsyncGenerator<string> {
  const head = {
    $schema: 'http://cyclonedx.org/schema/bom-1.6.schema.json',
    bomFormat: 'CycloneDX',
    specVersion: '1.6',
    serialNumber: `urn:uuid:${uuidOf(`${subject.fingerprint} ${subject.url}`)}`,
    version: 1,
    metadata: {
      timestamp: subject.created.toISOString(),
      tools: { components: [{ type: 'application', name: 'odcs-reactor', version: subject.toolVersion }] },
      component: {
        'bom-ref': subject.name,
        type: 'data',
        name: subject.name,
        version: subject.version,
        externalReferences: [{ type: 'distribution', url: subject.url }],
      },
    },
  };
  yield `${JSON.stringify(head).slice(0, -1)},"components":[`;
  let separator = '\n';
  for await (const some of packages) {
    for (const billed of some) {
      yield `${separator}${JSON.stringify(componentOf(billed))}`;
      separator = ',\n';
    }
  }
  yield '\n]}\n';
}

function componentOf({ listed, purl, url, module }: BillPackage): object {
  const { checksum, license, vendor, summary, sourceRpm } = listed;
  const algorithm = algorithms.get(algorithmOfType(checksum.type) ?? '');
  const homepage = homepageOf(listed);
  const references = [
    ...(homepage === null ? [] : [{ type: 'website', url: homepage }]),
    ...(url === null ? [] : [{ type: 'distribution', url }]),
  ];
  const properties = [
    ...(sourceRpm === null ? [] : [{ name: 'rpm_sourcerpm', value: sourceRpm }]),
    ...(module === null ? [] : [{ name: 'rpm_modularity_label', value: module }]),
  ];
  return {
    'bom-ref': purl,
    type: 'library',
    name: listed.name,
    version: `${listed.version}-${listed.release}`,
    ...(summary === '' ? {} : { description: summary }),
    ...(vendor === '' ? {} : { supplier: { name: vendor } }),
    ...(license === '' ? {} : { licenses: [{ license: { name: license } }] }),
    ...(algorithm === undefined ? {} : { hashes: [{ alg: algorithm, content: checksum.value }] }),
    purl,
    ...(references.length === 0 ? {} : { externalReferences: references }),
    ...(properties.length === 0 ? {} : { properties }),
  };
}

/** Returns a UUID of version 8 that stands for a text. Source: RFC 9562. */
function uuidOf(text: string): string {
  const bytes = createHash('sha256').update(text).digest().subarray(0, 16);
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x80;
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  return bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}

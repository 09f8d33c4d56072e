import { KeptWith } from '../kept-with.ts';
import type { Advisory, AdvisoryCollection, AdvisoryPackage } from './advisory.ts';
import { escapeAttribute, escapeXml } from './repodata/escape-xml.ts';

/** Characters of an attribute, so that a tag of six that are all escaped is not longer than readers take. */
const MOST_OF_ATTRIBUTE = 1500;
/** Characters of the text of an element, half of what readers take. */
const MOST_OF_TEXT = 512 * 1024;

const HEAD = Buffer.from('<?xml version="1.0" encoding="UTF-8"?>\n<updates>\n');
const FOOT = Buffer.from('</updates>\n');

/** Advisories that are the same from one compose to the next are written once. */
const keptElements = new KeptWith<Advisory, Uint8Array>();
const keptAdvisories = new KeptWith<Uint8Array, readonly Advisory[]>();

/**
 * Writes advisories as updateinfo.xml (UTF-8), in the order they have. What XML cannot hold becomes U+FFFD, and what is
 * longer than readers take is cut.
 */
export function formatUpdateinfo(advisories: readonly Advisory[]): Uint8Array {
  const bytes = Buffer.concat([HEAD, ...advisories.map(elementOf), FOOT]);
  keptAdvisories.set(bytes, advisories);
  return bytes;
}

/** Returns the advisories that were written into an updateinfo.xml; undefined where these bytes are of another process. */
export function advisoriesIn(bytes: Uint8Array): readonly Advisory[] | undefined {
  return keptAdvisories.get(bytes);
}

function elementOf(advisory: Advisory): Uint8Array {
  const kept = keptElements.get(advisory);
  if (kept !== undefined) return kept;
  const element = Buffer.from(formatAdvisory(advisory));
  keptElements.set(advisory, element);
  return element;
}

function formatAdvisory(advisory: Advisory): string {
  const { from, status, type, version, id, title, issued, updated } = advisory;
  let references = '';
  for (const reference of advisory.references) {
    references += `      <reference href="${attribute(reference.href)}" id="${attribute(reference.id)}" title="${attribute(reference.title)}" type="${attribute(reference.type)}"/>\n`;
  }
  let collections = '';
  for (const collection of advisory.collections) collections += formatCollection(collection);
  return `  <update from="${attribute(from)}" status="${attribute(status)}" type="${attribute(type)}" version="${attribute(version)}">
${line('id', id)}    <title>${text(title)}</title>
${date('issued', issued)}${date('updated', updated)}${line('severity', advisory.severity)}${line('release', advisory.release)}${line('rights', advisory.rights)}${line('summary', advisory.summary)}${line('description', advisory.description)}${line('solution', advisory.solution)}    <references>
${references}    </references>
    <pkglist>
${collections}    </pkglist>
  </update>
`;
}

function line(name: string, value: string): string {
  return value === '' ? '' : `    <${name}>${text(value)}</${name}>\n`;
}

function date(name: 'issued' | 'updated', value: string): string {
  return value === '' ? '' : `    <${name} date="${attribute(value)}"/>\n`;
}

function formatCollection({ short, name, module, packages }: AdvisoryCollection): string {
  let element = `      <collection short="${attribute(short)}">\n`;
  if (name !== '') element += `        <name>${text(name)}</name>\n`;
  if (module !== null) {
    const { stream, version, context, arch } = module;
    element += `        <module name="${attribute(module.name)}" stream="${attribute(stream)}" version="${attribute(version)}" context="${attribute(context)}" arch="${attribute(arch)}"/>\n`;
  }
  for (const listed of packages) element += formatPackage(listed);
  return `${element}      </collection>\n`;
}

function formatPackage(listed: AdvisoryPackage): string {
  const { name, version, release, epoch, arch, source } = listed;
  const from = source === '' ? '' : ` src="${attribute(source)}"`;
  let suggests = '';
  for (const word of listed.suggests) suggests += `          <${word}_suggested>True</${word}_suggested>\n`;
  return `        <package name="${attribute(name)}" version="${attribute(version)}" release="${attribute(release)}" epoch="${attribute(epoch)}" arch="${attribute(arch)}"${from}>
          <filename>${text(listed.fileName)}</filename>
${suggests}        </package>
`;
}

/** Anything but printable ASCII that stands for itself in an attribute. */
const NOT_PLAIN = /[^ !#-%'-;=?-~]/;
/** The same of an element, whose line feeds and tabs stand for themselves too. */
const NOT_PLAIN_TEXT = /[^\t\n !#-%'-;=?-~]/;

function attribute(value: string): string {
  const cut = value.length > MOST_OF_ATTRIBUTE ? value.slice(0, MOST_OF_ATTRIBUTE) : value;
  return NOT_PLAIN.test(cut) ? escapeAttribute(withoutUnfit(cut)) : cut;
}

/** Readers make line feeds of carriage returns that are not written as numbers. */
function text(value: string): string {
  const cut = value.length > MOST_OF_TEXT ? value.slice(0, MOST_OF_TEXT) : value;
  return NOT_PLAIN_TEXT.test(cut) ? escapeXml(withoutUnfit(cut)).replaceAll('\r', '&#13;') : cut;
}

/** What XML 1.0 forbids: most control characters, lone surrogates, U+FFFE and U+FFFF. */
// oxlint-disable-next-line no-control-regex
const UNFIT = /[\u0000-\u0008\u000B\u000C\u000E-\u001F\uFFFE\uFFFF]/g;

function withoutUnfit(value: string): string {
  return value.toWellFormed().replace(UNFIT, '\uFFFD');
}

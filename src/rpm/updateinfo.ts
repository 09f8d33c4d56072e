import { setImmediate as letOthersRun } from 'node:timers/promises';
import { ReactorError } from '../model/errors.ts';
import { formatNevra, formatNvra, type Nevra } from '../model/nevra.ts';
import {
  suggestions,
  type Advisory,
  type AdvisoryCollection,
  type AdvisoryModule,
  type AdvisoryPackage,
  type AdvisoryReference,
  type Suggestion,
} from './advisory.ts';
import { XmlElements, type XmlAttributes, type XmlVisitor } from './repodata/xml-elements.ts';

/** Bytes that are read before others get their turn. */
const PIECE = 16 * 1024;
const PIECES_AT_ONCE = 16;
/** More of one advisory says nothing to anybody. */
const MOST_REFERENCES = 10_000;

export interface UpdateinfoReading {
  /** For messages. */
  readonly where: string;
  /** Whether a package, by its NEVRA with epoch, is of interest; an advisory without any such is left out. */
  readonly holds: (nevra: string) => boolean;
}

/**
 * Reads the advisories of an updateinfo.xml (UTF-8) that are about packages of interest, with only those packages. What is
 * missing counts as empty, a missing epoch as 0; advisories without id and packages without name, version, release or
 * arch are left out, as dnf does. Takes time linear to the length and lets others run meanwhile. Throws
 * `repodata.malformed`, `repodata.entity`.
 */
export async function readUpdateinfo(
  bytes: Uint8Array,
  { where, holds }: UpdateinfoReading,
): Promise<readonly Advisory[]> {
  const collector = new AdvisoryCollector(holds);
  const elements = new XmlElements({ where, documentType: 'passed over', part: 'whole' }, collector);
  const decoder = new TextDecoder();
  for (let at = 0, count = 1; at < bytes.length; at += PIECE, count += 1) {
    elements.write(decoder.decode(bytes.subarray(at, at + PIECE), { stream: true }), at);
    if (count % PIECES_AT_ONCE === 0) await letOthersRun();
  }
  elements.close();
  if (collector.isUpdateinfo) return collector.advisories;
  throw new ReactorError('repodata.malformed', 'This is not an updateinfo file.', { where });
}

type Draft<Value> = { -readonly [Key in keyof Value]: Value[Key] };
type AdvisoryDraft = Draft<Omit<Advisory, 'references' | 'collections'>> & {
  readonly references: AdvisoryReference[];
  readonly collections: AdvisoryCollection[];
};
type CollectionDraft = Draft<Omit<AdvisoryCollection, 'packages'>> & { readonly packages: AdvisoryPackage[] };

const texts = ['id', 'title', 'severity', 'release', 'rights', 'summary', 'description', 'solution'] as const;
type TextElement = (typeof texts)[number];

function isText(name: string): name is TextElement {
  return texts.some((known) => known === name);
}

/** Builds advisories from the elements of a file. */
class AdvisoryCollector implements XmlVisitor {
  readonly advisories: Advisory[] = [];
  isUpdateinfo = false;
  readonly #holds: (nevra: string) => boolean;
  #advisory: AdvisoryDraft | null = null;
  #collection: CollectionDraft | null = null;
  #fileName = '';
  #suggests: Suggestion[] = [];

  constructor(holds: (nevra: string) => boolean) {
    this.#holds = holds;
  }

  open(name: string, attributes: XmlAttributes, depth: number): void {
    if (depth === 1) this.isUpdateinfo = name === 'updates';
    else if (depth === 2 && name === 'update') this.#advisory = emptyAdvisory(attributes);
    else if (name === 'collection') {
      this.#collection = { short: attributes['short'] ?? '', name: '', module: null, packages: [] };
    } else if (name === 'package') {
      this.#fileName = '';
      this.#suggests = [];
    }
  }

  close(name: string, attributes: XmlAttributes, text: string, depth: number): void {
    if (this.#advisory === null) return;
    const trimmed = text.trim();
    if (depth === 2) this.#closeAdvisory(this.#advisory);
    else if (depth === 3 && isText(name)) this.#advisory[name] = trimmed;
    else if (depth === 3 && (name === 'issued' || name === 'updated')) {
      this.#advisory[name] = (attributes['date'] ?? '').trim();
    } else if (name === 'reference' && this.#advisory.references.length < MOST_REFERENCES) {
      const { href = '', id = '', title = '', type = '' } = attributes;
      this.#advisory.references.push({ href, id, title, type });
    } else if (this.#collection !== null) {
      this.#closeInCollection(this.#advisory, this.#collection, { name, attributes, text: trimmed });
    }
  }

  #closeAdvisory(advisory: AdvisoryDraft): void {
    if (advisory.id !== '' && advisory.collections.length > 0) this.advisories.push(advisory);
    this.#advisory = null;
    this.#collection = null;
  }

  #closeInCollection(
    advisory: AdvisoryDraft,
    collection: CollectionDraft,
    { name, attributes, text }: { name: string; attributes: XmlAttributes; text: string },
  ): void {
    switch (name) {
      case 'name':
        collection.name = text;
        return;
      case 'module':
        collection.module = moduleOf(attributes);
        return;
      case 'filename':
        this.#fileName = text;
        return;
      case 'reboot_suggested':
      case 'restart_suggested':
      case 'relogin_suggested':
        if (!/^(0|false|no|none)$/i.test(text)) this.#suggests.push(suggestionOf(name));
        return;
      case 'package':
        this.#closePackage(collection, attributes);
        return;
      case 'collection':
        if (collection.packages.length > 0) advisory.collections.push(collection);
        this.#collection = null;
        return;
      default:
    }
  }

  #closePackage(collection: CollectionDraft, attributes: XmlAttributes): void {
    const nevra = nevraOf(attributes);
    if (nevra === null || !this.#holds(formatNevra(nevra))) return;
    collection.packages.push({
      ...nevra,
      fileName: this.#fileName === '' ? `${formatNvra(nevra)}.rpm` : this.#fileName,
      source: attributes['src'] ?? '',
      suggests: suggestions.filter((word) => this.#suggests.includes(word)),
    });
  }
}

function suggestionOf(element: `${Suggestion}_suggested`): Suggestion {
  switch (element) {
    case 'reboot_suggested':
      return 'reboot';
    case 'restart_suggested':
      return 'restart';
    case 'relogin_suggested':
      return 'relogin';
    default:
      return element satisfies never;
  }
}

function emptyAdvisory({ from = '', status = '', type = '', version = '' }: XmlAttributes): AdvisoryDraft {
  const said = { from, status, type, version };
  const unsaid = { id: '', title: '', issued: '', updated: '', severity: '', release: '', rights: '' };
  return { ...said, ...unsaid, summary: '', description: '', solution: '', references: [], collections: [] };
}

function moduleOf({ name = '', stream = '', version = '', context = '', arch = '' }: XmlAttributes) {
  return { name, stream, version, context, arch } satisfies AdvisoryModule;
}

function nevraOf(attributes: XmlAttributes): Nevra | null {
  const { name = '', epoch = '', version = '', release = '', arch = '' } = attributes;
  if (name === '' || version === '' || release === '' || arch === '') return null;
  return { name, epoch: /^\d+$/.test(epoch) ? epoch : '0', version, release, arch };
}

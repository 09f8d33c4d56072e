import { setImmediate } from 'node:timers/promises';
import type { Nevra } from '../../model/nevra.ts';
import { XmlElements, type XmlAttributes, type XmlVisitor } from './xml-elements.ts';
import { malformed } from './xml-scan.ts';

/** A package as primary.xml tells of it. */
export interface ListedPackage extends Nevra {
  /** `sha256`, and its digest of the file, hex. */
  readonly checksum: { readonly type: string; readonly value: string };
  /** Bytes of the file; 0 where the repository does not know. */
  readonly size: number;
  /** Path below the repository, or below `base` where there is one. */
  readonly href: string;
  readonly base: string | null;
  /** File name of the source RPM; null for a source package. */
  readonly sourceRpm: string | null;
  readonly vendor: string;
  readonly license: string;
  readonly summary: string;
  readonly url: string;
}

type Draft = { -readonly [K in keyof ListedPackage]: ListedPackage[K] };

/** Characters that are read before the rest of the process has its turn. */
const TURN = 512 * 1024;
const PIECE = 16 * 1024;

/**
 * Reads the packages of a primary.xml that comes in parts, in their order, some at a time; no more than that is held.
 * Throws `repodata.malformed`, `repodata.entity`, and what the parts throw.
 */
export async function* listPackages(
  parts: AsyncIterable<Buffer>,
  where: string,
): AsyncGenerator<readonly ListedPackage[]> {
  const visitor = new ListVisitor(where);
  const elements = new XmlElements({ where, part: 'whole', documentType: 'refused' }, visitor);
  let offset = 0;
  for await (const part of parts) {
    const text = part.toString('utf8');
    for (let at = 0; at < text.length; at += TURN) {
      const end = Math.min(text.length, at + TURN);
      for (let from = at; from < end; from += PIECE) {
        elements.write(text.slice(from, Math.min(end, from + PIECE)), offset + from);
      }
      if (visitor.found.length > 0) yield visitor.take();
      await setImmediate();
    }
    offset += part.length;
  }
  elements.close();
  if (visitor.found.length > 0) yield visitor.take();
}

class ListVisitor implements XmlVisitor {
  readonly #where: string;
  #draft: Draft = emptyDraft();
  found: ListedPackage[] = [];

  constructor(where: string) {
    this.#where = where;
  }

  take(): readonly ListedPackage[] {
    const { found } = this;
    this.found = [];
    return found;
  }

  open(name: string, attributes: XmlAttributes, depth: number): void {
    if (depth === 2 && name === 'package') this.#draft = emptyDraft();
    if (depth !== 3) return;
    const draft = this.#draft;
    if (name === 'version') {
      draft.epoch = attributes['epoch'] || '0';
      draft.version = attributes['ver'] ?? '';
      draft.release = attributes['rel'] ?? '';
    } else if (name === 'size') draft.size = Number(attributes['package'] ?? 0) || 0;
    else if (name === 'location') {
      draft.href = attributes['href'] ?? '';
      draft.base = attributes['xml:base'] ?? null;
    }
  }

  close(name: string, attributes: XmlAttributes, text: string, depth: number): void {
    const draft = this.#draft;
    const value = text.trim();
    if (depth === 4) {
      if (name === 'license') draft.license = value;
      else if (name === 'vendor') draft.vendor = value;
      else if (name === 'sourcerpm') draft.sourceRpm = value === '' ? null : value;
    } else if (depth === 3) {
      if (name === 'name') draft.name = value;
      else if (name === 'arch') draft.arch = value;
      else if (name === 'summary') draft.summary = value;
      else if (name === 'url') draft.url = value;
      else if (name === 'checksum') {
        draft.checksum = { type: (attributes['type'] ?? '').toLowerCase(), value: value.toLowerCase() };
      }
    } else if (depth === 2 && name === 'package') {
      if (draft.name === '' || draft.arch === '' || draft.href === '' || draft.checksum.value === '') {
        throw malformed(this.#where, 0, 'A package has no name, arch, location or checksum.');
      }
      this.found.push(draft);
    }
  }
}

function emptyDraft(): Draft {
  return {
    name: '',
    epoch: '0',
    version: '',
    release: '',
    arch: '',
    checksum: { type: '', value: '' },
    size: 0,
    href: '',
    base: null,
    sourceRpm: null,
    vendor: '',
    license: '',
    summary: '',
    url: '',
  };
}

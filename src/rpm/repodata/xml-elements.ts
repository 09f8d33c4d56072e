import { SaxesParser } from 'saxes';
import { ReactorError } from '../../model/errors.ts';
import { malformed, TAG_LIMIT, tagTooLong } from './xml-scan.ts';

/** The most bytes an element may hold as text of its own; the longest description of a package has a tenth. */
const TEXT_LIMIT = 1024 * 1024;
/** How deep elements may lie in each other; those of repodata and comps files lie five deep. */
const DEPTH_LIMIT = 64;
/** A limit is looked at after so many characters, whatever the tag or text between. */
const PIECE = 16 * 1024;

export type XmlAttributes = Readonly<Record<string, string>>;

/** Gets the elements of a document in their order. Names come without their namespace prefix; the root has depth 1. */
export interface XmlVisitor {
  open(name: string, attributes: XmlAttributes, depth: number): void;
  /** `text` is what stands in the element itself, CDATA and entities resolved, not what its elements hold. */
  close(name: string, attributes: XmlAttributes, text: string, depth: number): void;
}

export interface XmlElementsOptions {
  readonly where: string;
  /** `whole` is a document, `element` one element out of the middle at a time; what a piece holds after it is passed over. */
  readonly part: 'whole' | 'element';
  /** A document type that declares nothing may be passed over; any other is refused. */
  readonly documentType: 'refused' | 'passed over';
}

function localName(name: string): string {
  return name.slice(name.indexOf(':') + 1);
}

/**
 * Reads XML that may be written in any way, in time linear to its length: a tag, the text of an element and the depth
 * are limited, entities are the five of XML and character numbers, so that nothing grows by being read. What is thrown
 * is `repodata.malformed` and `repodata.entity`, with the file and the byte offset.
 */
export class XmlElements {
  readonly #parser: SaxesParser<{ xmlns: false; position: false; fragment: boolean }>;
  readonly #options: XmlElementsOptions;
  /** The name, attributes and text of each open element. */
  readonly #open: { readonly name: string; readonly attributes: XmlAttributes; text: string }[] = [];
  #piece = '';
  /** Where the piece begins: in characters of all that was written, and in bytes of the file. */
  #charactersBefore = 0;
  #pieceOffset = 0;
  /** Where the tag that is being read begins, in characters; -1 outside of tags. */
  #tagAt = -1;
  #end: number | null = null;
  /** The same in characters. */
  #endAt = -1;

  constructor(options: XmlElementsOptions, visitor: XmlVisitor) {
    this.#options = options;
    const isElement = options.part === 'element';
    const parser = new SaxesParser({ xmlns: false as const, position: false as const, fragment: isElement });
    this.#parser = parser;
    parser.on('error', (error) => {
      // What follows the element does not matter, but the tag that ends it has to be its own.
      if (this.#end === null || parser.position === this.#endAt) throw this.#describe(error);
    });
    parser.on('doctype', (text) => {
      if (options.documentType === 'refused' || text.includes('[')) throw this.#refuse('<!DOCTYPE');
    });
    parser.on('opentagstart', () => {
      this.#tagAt = parser.position;
    });
    parser.on('opentag', ({ name, attributes }) => {
      if (this.#end !== null) return;
      if (parser.position - this.#tagAt > TAG_LIMIT) throw tagTooLong(options.where, this.offset);
      this.#tagAt = -1;
      if (this.#open.length >= DEPTH_LIMIT) {
        throw malformed(
          options.where,
          this.offset,
          `Elements lie more than ${DEPTH_LIMIT} deep in each other.`,
        );
      }
      const element = { name: localName(name), attributes, text: '' };
      this.#open.push(element);
      visitor.open(element.name, attributes, this.#open.length);
    });
    parser.on('closetag', () => {
      const element = this.#open.pop();
      if (element === undefined || this.#end !== null) return;
      visitor.close(element.name, element.attributes, element.text, this.#open.length + 1);
      if (!isElement || this.#open.length > 0) return;
      this.#end = this.offset;
      this.#endAt = parser.position;
    });
    const addText = (text: string): void => {
      const element = this.#open.at(-1);
      if (element === undefined || this.#end !== null) return;
      // White space between the elements of a list is the most frequent text.
      if (text.trim() === '') return;
      element.text += text;
      if (element.text.length > TEXT_LIMIT) throw this.#textTooLong(element.name);
    };
    parser.on('text', addText);
    parser.on('cdata', addText);
  }

  /** The byte offset in the file up to which was read. */
  get offset(): number {
    const read = this.#parser.position - this.#charactersBefore;
    return this.#pieceOffset + Buffer.byteLength(this.#piece.slice(0, read));
  }

  /** The byte offset after the element that was to be read; null before it has ended. */
  get end(): number | null {
    return this.#end;
  }

  /** Whether the element ended with the last piece, so that another element may follow. */
  get mayBegin(): boolean {
    return this.#endAt === this.#charactersBefore + this.#piece.length;
  }

  /** Says that what follows is another element. */
  begin(): void {
    this.#end = null;
    this.#endAt = -1;
  }

  /** Takes some more of the XML, at most some ten thousand characters; `offset` is their place in the file. */
  write(piece: string, offset: number): void {
    this.#charactersBefore += this.#piece.length;
    this.#pieceOffset = offset;
    this.#piece = piece;
    this.#parser.write(piece);
    if (this.#tagAt >= 0 && this.#parser.position - this.#tagAt > TAG_LIMIT) {
      throw tagTooLong(this.#options.where, this.offset);
    }
  }

  /** Says that the XML has ended. */
  close(): void {
    this.#parser.close();
  }

  #textTooLong(name: string): ReactorError {
    return malformed(
      this.#options.where,
      this.offset,
      `<${name}> holds more than ${TEXT_LIMIT} bytes of text.`,
    );
  }

  #describe(error: Error): ReactorError {
    if (/undefined entity|doctype/.test(error.message)) return this.#refuse('');
    return malformed(this.#options.where, this.offset, `This is no well-formed XML: ${error.message}`);
  }

  #refuse(what: string): ReactorError {
    const name = what === '' ? '' : ` "${what}"`;
    return new ReactorError('repodata.entity', `The XML uses an entity or document type${name}.`, {
      where: `${this.#options.where}:${this.offset}`,
      hint: 'Repodata has no DOCTYPE and no entities but the five of XML and character numbers.',
    });
  }
}

/** Reads a whole document. Throws `repodata.malformed`, `repodata.entity`. */
export function readXml(
  text: string,
  { where, documentType }: Pick<XmlElementsOptions, 'where' | 'documentType'>,
  visitor: XmlVisitor,
): void {
  const elements = new XmlElements({ where, documentType, part: 'whole' }, visitor);
  let offset = 0;
  for (let at = 0; at < text.length; at += PIECE) {
    const piece = text.slice(at, at + PIECE);
    elements.write(piece, offset);
    offset += Buffer.byteLength(piece);
  }
  elements.close();
}

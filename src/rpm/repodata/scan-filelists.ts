import { visitWindows, type MetadataParts } from './scan-primary.ts';
import { hasCharacter, malformed, nextTag, rawAttribute, unescapeXml } from './xml-scan.ts';

const AMPERSAND = 38;
const PLAIN_FILE = '<file>';
const FILE_END = '</file>';

/** Takes what a filelists.xml says: the package, then each of its paths as a range of a byte string. */
export interface FilelistsSink {
  /** Returns whether the paths of this package are wanted. */
  package(pkgid: string): boolean;
  file(bytes: string, from: number, to: number): void;
}

/** Scans a filelists.xml that comes in parts. Throws `repodata.malformed`, `repodata.entity` and what the parts throw. */
export async function scanFilelists(parts: MetadataParts, where: string, sink: FilelistsSink): Promise<void> {
  let hasRoot = false;
  let isClosed = false;
  const size = await visitWindows(parts, where, (xml, base) => {
    for (let tag = nextTag(xml, 0, where); tag !== null;) {
      let next = tag.end;
      if (tag.name === 'filelists') {
        if (tag.isClosing) isClosed = true;
        else hasRoot = true;
      } else if (tag.name === 'package' && !tag.isClosing && !tag.isEmpty) {
        const pkgid = rawAttribute(xml, tag.start, tag.end, 'pkgid');
        if (pkgid === null) throw malformed(where, base + tag.start, 'A package has no pkgid.');
        if (sink.package(pkgid)) next = readFiles(xml, next, base, where, sink);
        else {
          const close = xml.indexOf('</package>', next);
          if (close < 0) throw malformed(where, base + tag.start, 'A package does not end.');
          next = close;
        }
      }
      tag = nextTag(xml, next, where);
    }
  });
  if (!hasRoot || !isClosed) throw malformed(where, size, 'This is not a whole filelists.xml.');
}

function readFiles(xml: string, from: number, base: number, where: string, sink: FilelistsSink): number {
  for (let at = xml.indexOf('<', from); at >= 0; at = xml.indexOf('<', at)) {
    let open = at + PLAIN_FILE.length;
    if (!xml.startsWith(PLAIN_FILE, at)) {
      const tag = nextTag(xml, at, where);
      if (tag === null) break;
      if (tag.isClosing && tag.name === 'package') return tag.start;
      open = tag.end;
      if (tag.isClosing || tag.isEmpty || tag.name !== 'file') {
        at = open;
        continue;
      }
    }
    const close = xml.indexOf('<', open);
    if (close < 0) throw malformed(where, base + at, 'A file does not end.');
    if (hasCharacter(xml, open, close, AMPERSAND)) {
      const path = unescapeXml(xml.slice(open, close), where, base + open);
      sink.file(path, 0, path.length);
    } else if (close > open) sink.file(xml, open, close);
    at = xml.startsWith(FILE_END, close) ? close + FILE_END.length : close;
  }
  throw malformed(where, base + from, 'A package does not end.');
}

/** What somebody looks for, as the systems write it. */
export interface FindQuery {
  /** As it was typed, trimmed. */
  readonly text: string;
  /** In the letters of the system that gave the name: `CVE-2026-1234`, `FEDORA-2026-0a1b2c3d4e`, no file's ending. */
  readonly word: string;
  /** What it looks like; a name may be that of a package, tag, series or rule. */
  readonly kind: 'number' | 'cve' | 'advisory' | 'update' | 'module' | 'build' | 'name';
  /** Packages that a build of this name may be of, the likeliest first; empty where it cannot be a build's. */
  readonly packages: readonly string[];
  /** Beginning of the NSVC of a module; null where it is none. */
  readonly module: { readonly name: string; readonly stream: string } | null;
}

const LONGEST = 200;

/** Reads what somebody typed: whatever it looks like, the word itself is looked for as well. */
export function readFindQuery(typed: string): FindQuery {
  const text = typed
    .replaceAll(/\p{Cc}/gu, ' ')
    .trim()
    .slice(0, LONGEST);
  const none = { text, word: text, packages: [], module: null } as const;
  if (/^#?\d{1,15}$/.test(text)) return { ...none, word: text.replace('#', ''), kind: 'number' };
  if (/^cve-\d{4}-\d+$/i.test(text)) return { ...none, word: text.toUpperCase(), kind: 'cve' };
  if (/^rh[sbe]a-\d{4}[:-]\d+$/i.test(text)) {
    return { ...none, word: text.toUpperCase().replace(/-(\d+)$/, ':$1'), kind: 'advisory' };
  }
  const update = /^([a-z][a-z-]*-\d{4}-)([0-9a-f]{6,})$/i.exec(text);
  if (update !== null) {
    const [, system = '', number = ''] = update;
    return { ...none, word: `${system.toUpperCase()}${number.toLowerCase()}`, kind: 'update' };
  }
  const word = text.replace(/\.(?:rpm|src\.rpm)$/, '').replace(/\.(?:src|nosrc)$/, '');
  const packages = packagesOf(word);
  const [first = '', stream = '', ...rest] = word.split(':');
  const isModule = stream !== '' && !/^[a-z]+:[^:]*-\d[^:]*-[^:]*$/.test(word);
  if (isModule && (rest.length > 0 || packages.length === 0)) {
    return { ...none, word, kind: 'module', module: { name: first, stream } };
  }
  return { ...none, word, packages, kind: packages.length > 0 ? 'build' : 'name' };
}

/** `openssl-3.2.1-5.fc44` is a build of openssl; `openssl-3.2.1` may be one whose release was left out. */
function packagesOf(word: string): readonly string[] {
  const bare = word.slice(word.indexOf(':') + 1);
  const parts = bare.split('-');
  const cut = (count: number): readonly string[] => {
    const tail = parts.slice(-count);
    const isVersion = parts.length > count && tail.every((part) => /\d/.test(part));
    return isVersion ? [parts.slice(0, -count).join('-')] : [];
  };
  return [...cut(2), ...cut(1)];
}

/** Whether a build is one that was looked for: the very one, or one whose release was typed in part. */
export function isBuildWanted({ word }: Pick<FindQuery, 'word'>, nvr: string): boolean {
  const bare = (name: string): string => name.slice(name.indexOf(':') + 1);
  const wanted = bare(word);
  const found = bare(nvr);
  return found === wanted || found.startsWith(`${wanted}.`) || found.startsWith(`${wanted}-`);
}

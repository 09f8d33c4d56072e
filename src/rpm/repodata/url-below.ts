const whole = /^[a-z][a-z0-9+.-]*:\/\//i;
/** What a path keeps: unreserved characters, the slash, and escapes that somebody made before. */
const kept = /%[0-9a-f]{2}|[A-Za-z0-9\-._~/]+/gi;

/**
 * Returns the URL of what a repository at `base` calls `href`: a whole URL as it is, all else as a name below the base,
 * escaped where a URL cannot hold it (`#`, `?`, `:`, `\`, a stray `%`, `+` that some stores read as a blank). A query
 * of the base, and one after `.rpm`, is kept. Null where that is no http(s) URL.
 */
export function urlBelow(base: string, href: string): string | null {
  if (whole.test(href)) return httpUrl(URL.parse(href));
  const root = URL.parse(base);
  if (root === null) return null;
  const name = href.toWellFormed();
  const [, path = name, query] = /^(.*?\.rpm)\?(.*)$/s.exec(name) ?? [];
  const folder = root.pathname.endsWith('/') ? root.pathname : `${root.pathname}/`;
  const url = URL.parse(
    path.startsWith('/') ? escapePath(path) : `${folder}${escapePath(path)}`,
    root.origin,
  );
  if (url === null || url.origin !== root.origin) return null;
  url.search = query ?? root.search;
  return httpUrl(url);
}

function httpUrl(url: URL | null): string | null {
  return url !== null && (url.protocol === 'http:' || url.protocol === 'https:') ? url.href : null;
}

/** Escapes what is not kept, byte by byte; several slashes at the beginning name no host. */
function escapePath(path: string): string {
  let escaped = '';
  let at = 0;
  for (const match of path.matchAll(kept)) {
    escaped += encodeURIComponent(path.slice(at, match.index)) + match[0];
    at = match.index + match[0].length;
  }
  escaped += encodeURIComponent(path.slice(at));
  return escaped
    .replace(/^\/+/, '/')
    .replaceAll(/[!'()*]/g, (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`);
}

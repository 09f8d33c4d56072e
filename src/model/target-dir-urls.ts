/** Public URLs of the target directories, without a final slash. */
export interface TargetDirUrls {
  readonly default: string;
  /** Those of every extra target directory, by name; null for one that has no public address. */
  readonly extra: Readonly<Record<string, string | null>>;
}

/** Returns the URLs that the settings stand for. `ownUrl` is where this service serves the default directory. */
export function targetDirUrlsOf(
  config: {
    readonly target_dir_url: string;
    readonly extra_target_dirs: Readonly<Record<string, string>>;
    readonly extra_target_dir_urls: Readonly<Record<string, string>>;
  },
  ownUrl: string,
): TargetDirUrls {
  const urls = new Map(Object.entries(config.extra_target_dir_urls));
  const extra = Object.keys(config.extra_target_dirs).map(
    (name) => [name, withoutFinalSlash(urls.get(name) ?? '') || null] as const,
  );
  return {
    default: withoutFinalSlash(config.target_dir_url || ownUrl),
    extra: Object.fromEntries(extra),
  };
}

/** Returns the public URL of a target directory; null where it has none, undefined where it is not configured. */
export function targetDirUrlOf(urls: TargetDirUrls, name: string): string | null | undefined {
  if (name === 'default') return urls.default;
  return Object.hasOwn(urls.extra, name) ? urls.extra[name] : undefined;
}

function withoutFinalSlash(url: string): string {
  return url.replace(/\/+$/, '');
}

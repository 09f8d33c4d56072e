/** Names of settings' members and of query keys whose values are secrets. */
const secretName = /(token|secret|passw(or)?d|passphrase|api_?key|private_?key|credential|signature)/i;
const secretQueryName =
  /^(.*(token|secret|passw(or)?d|passphrase|credential).*|(api|private|access)?[_-]?key|sig(nature)?|auth)$/i;

/**
 * Returns a value of the configuration with every secret in it hidden: passwords, and users over HTTP, where a token
 * stands alone, of URLs; secret keys of their queries; members whose names say that they are secrets.
 */
export function maskSecrets(value: unknown): unknown {
  if (typeof value === 'string') return maskUrlSecrets(value);
  if (Array.isArray(value)) return value.map(maskSecrets);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, member]) => [
      name,
      typeof member === 'string' && member !== '' && secretName.test(name) ? '***' : maskSecrets(member),
    ]),
  );
}

/** Returns a text with the secrets of every URL in it hidden. */
export function maskUrlSecrets(text: string): string {
  return text
    .replace(/\b((?:git\+)?https?:\/\/)[^/?#\s]*@/gi, '$1***@')
    .replace(/([a-z][a-z0-9+.-]*:\/\/[^/?#@:\s]*):[^/?#\s]*@/gi, '$1:***@')
    .replace(/([?&;])([^=&;#\s]+)=([^&;#\s]+)/g, (whole, mark: string, name: string) =>
      secretQueryName.test(name) ? `${mark}${name}=***` : whole,
    );
}

import { isArray, type XmlRpcKeywords, type XmlRpcValue } from './xml-rpc-value.ts';

const INT_MIN = -(2 ** 31);
const INT_MAX = 2 ** 31 - 1;
// Code points that XML 1.0 cannot carry at all, escaped or not.
// oxlint-disable-next-line no-control-regex
const NOT_XML = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/u;

/**
 * Writes one call in the hub's dialect: `nil` for null, `i8` outside 32 bits, keyword arguments as a last struct
 * with the member `__starstar`. Throws a plain `Error` for what XML-RPC cannot carry (a mistake of the caller).
 * Source: Koji contract 1.1.
 */
export function writeCall(
  method: string,
  args: readonly XmlRpcValue[] = [],
  keywords: XmlRpcKeywords = {},
): string {
  const params = withKeywords(args, keywords)
    .map((value) => `<param>${writeValue(value)}</param>`)
    .join('');
  return `<?xml version="1.0"?><methodCall><methodName>${escape(method)}</methodName><params>${params}</params></methodCall>`;
}

/** The arguments of a call with its keywords folded into the last one, as the hub wants them. */
export function withKeywords(args: readonly XmlRpcValue[], keywords: XmlRpcKeywords): readonly XmlRpcValue[] {
  return Object.keys(keywords).length === 0 ? args : [...args, { ...keywords, __starstar: true }];
}

/** Writes one `<value>`. */
export function writeValue(value: XmlRpcValue): string {
  if (value === null) return '<value><nil/></value>';
  if (typeof value === 'boolean') return `<value><boolean>${value ? 1 : 0}</boolean></value>`;
  if (typeof value === 'string') return `<value><string>${escape(value)}</string></value>`;
  if (typeof value === 'number') return writeNumber(value);
  if (value instanceof Uint8Array) {
    return `<value><base64>${Buffer.from(value).toString('base64')}</base64></value>`;
  }
  if (isArray(value)) return `<value><array><data>${value.map(writeValue).join('')}</data></array></value>`;
  const members = Object.entries(value).map(
    ([name, member]) => `<member><name>${escape(name)}</name>${writeValue(member)}</member>`,
  );
  return `<value><struct>${members.join('')}</struct></value>`;
}

function writeNumber(value: number): string {
  if (!Number.isFinite(value)) throw new Error(`XML-RPC has no number ${value}`);
  if (!Number.isInteger(value)) return `<value><double>${value}</double></value>`;
  if (!Number.isSafeInteger(value)) throw new Error(`${value} is not an exact integer`);
  const type = value >= INT_MIN && value <= INT_MAX ? 'int' : 'i8';
  return `<value><${type}>${value}</${type}></value>`;
}

function escape(text: string): string {
  if (NOT_XML.test(text))
    throw new Error(`XML cannot carry the control characters of ${JSON.stringify(text)}`);
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('\r', '&#13;');
}

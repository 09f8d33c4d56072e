/**
 * A value as the hub speaks it. Times are strings (the hub never sends `dateTime`), `nil` is null, `base64` is
 * bytes, `int`, `i8` and `double` are numbers.
 */
export type XmlRpcValue =
  null | boolean | number | string | Uint8Array | readonly XmlRpcValue[] | XmlRpcStruct;

/** A struct; the order of members means nothing. */
export interface XmlRpcStruct {
  readonly [member: string]: XmlRpcValue;
}

/** Keyword arguments of a hub call. */
export type XmlRpcKeywords = Readonly<Record<string, XmlRpcValue>>;

/** Whether the value is a struct. */
export function isStruct(value: XmlRpcValue | undefined): value is XmlRpcStruct {
  return (
    typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Uint8Array)
  );
}

/** Whether the value is an array. */
export function isArray(value: XmlRpcValue | undefined): value is readonly XmlRpcValue[] {
  return Array.isArray(value);
}

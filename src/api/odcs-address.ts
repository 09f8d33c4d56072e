const odcsAddress = /^\/(?:odcs\/1\/composes|api\/1\/(?:composes|about|metrics))(?:\/?|\/\d+)$/;

/**
 * Whether an address is one that ODCS had: its clients send keys that it never knew, and were promised plain JSON.
 * Source: ODCS contract 1.
 */
export function isOdcsAddress(path: string): boolean {
  return odcsAddress.test(path);
}

import { extname } from 'node:path';

/**
 * Returns the address of a module that lies beside another, for what is no import: `name` has no extension, `beside` is
 * the `import.meta.url` of the other. It is TypeScript in a checkout and JavaScript in an installed package.
 */
export function moduleBeside(name: string, beside: string): URL {
  return new URL(`${name}${extname(beside)}`, beside);
}

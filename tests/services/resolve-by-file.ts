import dns, { type LookupOptions } from 'node:dns';
import { readFileSync } from 'node:fs';

/**
 * Loaded into a process before its own code: the name in ODCS_TEST_NAME leads to the address that the file in
 * ODCS_TEST_ADDRESS_FILE holds at that moment, as the entry of a name server that an operator changes.
 */
const { ODCS_TEST_NAME: name = '', ODCS_TEST_ADDRESS_FILE: file = '' } = process.env;
const { lookup } = dns;

type Found = (error: Error | null, address: string | dns.LookupAddress[], family?: number) => void;

Object.assign(dns, {
  lookup(asked: string, options: LookupOptions, found: Found) {
    if (asked !== name) return lookup(asked, options, found);
    const address = readFileSync(file, 'utf8').trim();
    setImmediate(() => {
      if (options.all === true) found(null, [{ address, family: 4 }]);
      else found(null, address, 4);
    });
    return undefined;
  },
});

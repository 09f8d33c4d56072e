import type { Config } from '../../config.ts';

/** A key that signs the metadata of composes. */
export interface MetadataKey {
  /** What the settings call it. */
  readonly name: string;
  /** Of the key or of the subkey that signs, hex in upper case. */
  readonly fingerprint: string;
  /** Path of the armored public key, which composes carry. */
  readonly publicKeyFile: string;
  /** What makes a signature of what it reads on its standard input. */
  readonly signer:
    | { readonly kind: 'gpg'; readonly home: string | null }
    | { readonly kind: 'command'; readonly words: readonly string[] };
  /** Seconds one signature may take. */
  readonly timeoutSeconds: number;
}

/** The settings of keys. */
export type MetadataKeys = Pick<
  Config,
  | 'metadata_keys'
  | 'metadata_key'
  | 'metadata_key_of_target_dirs'
  | 'metadata_key_of_series'
  | 'metadata_signing_timeout'
>;

/** What decides which key signs a compose. */
export interface SignedPlace {
  readonly series: string | null;
  readonly targetDir: string;
}

/** Returns the key that signs a compose, null where none does: that of its series, else of its target directory, else of all. */
export function metadataKeyOf(config: MetadataKeys, { series, targetDir }: SignedPlace): MetadataKey | null {
  const ofSeries = series === null ? undefined : own(config.metadata_key_of_series, series);
  const name = ofSeries ?? own(config.metadata_key_of_target_dirs, targetDir) ?? config.metadata_key;
  const key = own(config.metadata_keys, name);
  if (key === undefined) return null;
  const { fingerprint, public_key: publicKeyFile, command, gpg_home: home = null } = key;
  return {
    name,
    fingerprint,
    publicKeyFile,
    signer: command === undefined ? { kind: 'gpg', home } : { kind: 'command', words: command },
    timeoutSeconds: config.metadata_signing_timeout,
  };
}

function own<Value>(table: Readonly<Record<string, Value>>, name: string): Value | undefined {
  return Object.hasOwn(table, name) ? table[name] : undefined;
}

/** The digests that repodata may call packages and files by. Source: main compose contract 7. */
export const repodataChecksums = ['sha1', 'sha256', 'sha512'] as const;
export type RepodataChecksum = (typeof repodataChecksums)[number];

/** What the status lines of gpg say of the signatures of one file. */
export type SignatureJudgement =
  | { readonly kind: 'good'; readonly fingerprints: readonly string[] }
  | { readonly kind: 'key_expired' | 'key_revoked' | 'key_unknown' | 'bad' | 'none' };

/** Returns the words of each status line: `[['GOODSIG', …], …]`. Source: doc/DETAILS of GnuPG. */
function readStatusLines(text: string): string[][] {
  return text
    .split('\n')
    .filter((line) => line.startsWith('[GNUPG:] '))
    .map((line) => line.slice('[GNUPG:] '.length).trim().split(' '));
}

/**
 * Judges what gpgv says of a signature: good is one that is valid, by a key that is neither expired nor revoked; the
 * fingerprints are those of the key that signed and of its primary key. Of several signatures every one has to be good.
 */
export function judgeSignature(status: string): SignatureJudgement {
  const lines = readStatusLines(status);
  const has = (...words: readonly string[]): boolean => lines.some(([word = '']) => words.includes(word));
  if (has('BADSIG')) return { kind: 'bad' };
  if (has('REVKEYSIG')) return { kind: 'key_revoked' };
  if (has('EXPKEYSIG', 'EXPSIG')) return { kind: 'key_expired' };
  if (has('NO_PUBKEY')) return { kind: 'key_unknown' };
  if (has('ERRSIG')) return { kind: 'bad' };
  const valid = lines.find(([word]) => word === 'VALIDSIG');
  if (!has('GOODSIG') || valid === undefined) return { kind: 'none' };
  return { kind: 'good', fingerprints: [valid[1] ?? '', valid.at(-1) ?? ''] };
}

/** Why gpg made no signature, as far as its status lines tell. */
export type SigningTrouble = 'key_unusable' | 'passphrase_wanted' | 'other';

/** `GPG_ERR_*`, the low half of the number of a failure. Source: err-codes.h.in of libgpg-error. */
const gpgErrors: Readonly<Record<number, SigningTrouble>> = {
  11: 'passphrase_wanted', // bad passphrase
  17: 'key_unusable', // no secret key
  54: 'key_unusable', // unusable secret key
  85: 'passphrase_wanted', // no pinentry
  86: 'passphrase_wanted', // error of the pinentry
  99: 'passphrase_wanted', // canceled
  177: 'passphrase_wanted', // no passphrase
};

/** Returns why gpg made no signature. */
export function judgeTrouble(status: string): SigningTrouble {
  for (const [word = '', , error = ''] of readStatusLines(status)) {
    const trouble = word === 'FAILURE' || word === 'ERROR' ? gpgErrors[Number(error) & 0xffff] : undefined;
    if (trouble !== undefined) return trouble;
  }
  return 'other';
}

/**
 * Returns how a key stands in a listing `--with-colons`: the letter of the line whose fingerprint follows, or of its
 * primary key where that is worse.
 */
export function readKeyState(
  listing: string,
  fingerprint: string,
): 'fine' | 'expired' | 'revoked' | 'unknown' {
  let primary = '';
  let current = '';
  for (const line of listing.split('\n')) {
    const fields = line.split(':');
    if (fields[0] === 'pub' || fields[0] === 'sec') primary = current = fields[1] ?? '';
    else if (fields[0] === 'sub' || fields[0] === 'ssb') current = fields[1] ?? '';
    else if (fields[0] === 'fpr' && fields[9] === fingerprint) {
      if (primary === 'r' || current === 'r') return 'revoked';
      return primary === 'e' || current === 'e' ? 'expired' : 'fine';
    }
  }
  return 'unknown';
}

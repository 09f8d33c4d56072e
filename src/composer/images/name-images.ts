import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import type { ListedImage } from '../../rpm/productmd-images.ts';
import type { Pen } from '../pen.ts';
import { addSubjects, PROVENANCE_FILE, type ProvenanceSubject } from '../provenance.ts';
import { METADATA_KEY_FILE, signMetadata, type MetadataSigner } from '../signing/sign-metadata.ts';
import { digestsOf, replaceFile } from './place-image.ts';

/** What came into a compose after its provenance was written. */
export interface ImagesToName {
  readonly images: readonly ListedImage[];
  /** Metadata that list them, below the directory of the compose. */
  readonly documents: readonly string[];
  /** What signs the provenance of the compose; null where nothing does. */
  readonly signer: MetadataSigner | null;
  readonly signal: AbortSignal;
}

const SIGNATURE_FILE = `${PROVENANCE_FILE}.asc`;

/**
 * Names the images of a compose, and what lists them, in its provenance, which is signed anew where it was signed. One that
 * was signed by a key that the settings do not name any more stays as it is. Throws what reading and `signMetadata` throw.
 */
export async function nameImages(
  pen: Pen,
  { images, documents, signer, signal }: ImagesToName,
): Promise<void> {
  const isSigned = existsSync(pen.path(SIGNATURE_FILE));
  if (isSigned && !(await isKeyOf(pen, signer))) return;
  const subjects: ProvenanceSubject[] = [];
  const add = async (name: string, known?: string): Promise<void> => {
    const { sha256 = '' } =
      known === undefined ? await digestsOf(pen.path(name), ['sha256'], signal) : { sha256: known };
    subjects.push({ name, sha256 });
  };
  for (const name of documents) await add(name);
  for (const { image } of images) await add(`compose/${image.path}`, image.checksums['sha256']);
  const statement = addSubjects(await readFile(pen.path(PROVENANCE_FILE), 'utf8'), subjects);
  const signature =
    isSigned && signer !== null ? await signMetadata(signer, Buffer.from(statement), signal) : null;
  replaceFile(pen, PROVENANCE_FILE, statement);
  if (signature !== null) replaceFile(pen, SIGNATURE_FILE, signature);
}

async function isKeyOf(pen: Pen, signer: MetadataSigner | null): Promise<boolean> {
  return signer !== null && (await readFile(pen.path(METADATA_KEY_FILE))).equals(signer.publicKey);
}

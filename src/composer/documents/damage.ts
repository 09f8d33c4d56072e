import { ReactorError } from '../../model/errors.ts';
import type { DocumentType } from './document-type.ts';

/**
 * Returns the sentence about a document that cannot be read because of what it holds, or null for any other error and
 * for types that are not left out. What may be better at another time is no damage.
 */
export function sentenceAboutDamage({ leftOut }: DocumentType, error: unknown): string | null {
  if (leftOut === undefined || !(error instanceof ReactorError)) return null;
  return DAMAGES.has(error.code) ? `${leftOut}: ${error.message}` : null;
}

const DAMAGES = new Set([
  'repodata.malformed',
  'repodata.entity',
  'repodata.encoding',
  'repodata.compression_broken',
  'repodata.too_large',
]);

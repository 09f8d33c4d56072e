import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { ComposePlan } from '../plan.ts';
import type { Pen } from '../pen.ts';
import { formatProvenance, PROVENANCE_FILE, type ComposeMaking } from '../provenance.ts';

/** The metadata that name what is in a compose, beside its repositories. */
const DOCUMENTS = ['composeinfo', 'modules', 'rpms'].map((name) => `compose/metadata/${name}.json`);

/** Writes the provenance of a compose, whose other files are written: `named`, each `repomd.xml` among them, and the metadata. */
export function writeProvenance(
  plan: ComposePlan,
  making: ComposeMaking,
  pen: Pen,
  named: readonly string[],
): void {
  const subjects = [...DOCUMENTS, ...named].map((name) => ({
    name,
    sha256: createHash('sha256')
      .update(readFileSync(pen.path(name)))
      .digest('hex'),
  }));
  pen.writeFile(PROVENANCE_FILE, formatProvenance(plan, making, subjects));
}

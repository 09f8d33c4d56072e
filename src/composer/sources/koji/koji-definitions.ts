import { defineSource, type SourceContext } from '../source-definition.ts';
import type { SelectPackages } from '../../selection.ts';

/** A Koji tag, with builds and modules a request adds. */
export const tagSource = defineSource({
  type: 'tag',
  number: 1,
  words: 'a Koji tag',
  isOfHub: true,
  open: openKoji,
});

/** Builds of Koji alone. */
export const buildSource = defineSource({
  type: 'build',
  number: 6,
  words: 'nothing, its builds are named beside it',
  mayLackWords: () => true,
  isOfHub: true,
  open: openKoji,
});

async function openKoji(context: SourceContext): Promise<SelectPackages | null> {
  const { openKojiSource } = await import('./open-koji-source.ts');
  return openKojiSource(context);
}

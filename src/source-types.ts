import * as registered from './composer/sources/registered-sources.ts';
import type { SourceDefinition } from './composer/sources/source-definition.ts';

/** The name of a source type, as requests and rules write it. */
export type SourceType = (typeof registered)[keyof typeof registered]['type'];

/** The definition of every source type, in the order of their numbers. */
export const sourceDefinitions: readonly SourceDefinition<SourceType>[] = Object.values(registered).sort(
  (left, right) => left.number - right.number,
);

/** The name of every source type, in the order of their numbers. */
export const sourceTypeNames: readonly SourceType[] = sourceDefinitions.map(({ type }) => type);

/** Name of a source type to its number. */
export const sourceTypes = tableOf(({ number }) => number);

/** Name of a source type to what requests for it are held to, and how it is opened. */
export const definitionOfType = tableOf((definition) => definition);

/** Returns whether a word names a source type. */
export function isSourceType(word: unknown): word is SourceType {
  return typeof word === 'string' && Object.hasOwn(sourceTypes, word);
}

/** Returns a value of every definition by its type; the list has each once, so that the table has all. */
function tableOf<Value>(
  valueOf: (definition: SourceDefinition<SourceType>) => Value,
): Readonly<Record<SourceType, Value>> {
  const entries = sourceDefinitions.map((definition) => [definition.type, valueOf(definition)]);
  return Object.fromEntries(entries) as Record<SourceType, Value>;
}

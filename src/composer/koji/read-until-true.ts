import type { Selected, SelectContext } from '../selection.ts';

/** What was selected of Koji tags. */
export interface TagReading {
  readonly selected: Selected;
  /** Whether what was read of the tags still holds; what is kept of those of which it does not is forgotten. */
  readonly isTrue: () => Promise<boolean>;
}

/** An event that is younger than a minute may have earlier ones appear below it while tags are read. */
const MOST_READS = 3;
const UNSTABLE = `The tags changed while they were read, ${MOST_READS} times: what became visible meanwhile may be missing.`;

/**
 * Returns what reading tags selects once it holds, or the last of several readings with a remark. A reading that is null is
 * to be made again. Throws what reading throws. Source: Koji contract 2.1.
 */
export async function readUntilTrue(
  { log }: Pick<SelectContext, 'log'>,
  tags: readonly string[],
  read: (attempt: number) => Promise<TagReading | null>,
): Promise<Selected> {
  for (let attempt = 1; ; attempt += 1) {
    const reading = await read(attempt);
    if (reading !== null) {
      const { selected, isTrue } = reading;
      if (await isTrue()) return selected;
      if (attempt >= MOST_READS) {
        log.warn({ tags, attempt }, 'the tags changed at every reading; the last one is composed');
        const { selection, reader } = selected;
        return { reader, selection: { ...selection, remarks: [...selection.remarks, UNSTABLE] } };
      }
    }
    log.info({ tags, attempt }, 'the tags changed while they were read');
  }
}

import { ReactorError } from '../../model/errors.ts';
import { pathOfRpm, type ListedRpm } from './list-rpms.ts';
import { makeBatch } from './make-batch.ts';

/** An RPM that cannot be read, and why. */
export interface BrokenRpm {
  /** Path below the directory. */
  readonly href: string;
  readonly code: string;
  readonly reason: string;
}

const MOST_NAMED = 100;

/** Reads the headers of all RPMs, whole files only by their size, and returns those that cannot be read. */
export function findBroken(
  { signal }: { readonly signal?: AbortSignal },
  directory: string,
  rpms: readonly ListedRpm[],
): BrokenRpm[] {
  return rpms.flatMap((rpm) => {
    signal?.throwIfAborted();
    const { href } = rpm;
    const files = [{ path: pathOfRpm(directory, rpm), pkgid: 'unknown' }];
    const answer = makeBatch({ id: 0, files, withRecords: true });
    if (!('failure' in answer)) return [];
    return [{ href, code: answer.failure.code, reason: answer.failure.message }];
  });
}

/** One error that names all of them, the first hundred at least. */
export function describeBroken(directory: string, broken: readonly BrokenRpm[]): ReactorError {
  const named = broken.slice(0, MOST_NAMED).map(({ href, reason }) => `${href}: ${reason}`);
  const more = broken.length > MOST_NAMED ? ` And ${broken.length - MOST_NAMED} more.` : '';
  return new ReactorError(
    'createrepo.packages_broken',
    `${broken.length} packages cannot be read. ${named.join(' ')}${more}`,
    { where: directory, hint: 'Fetch or build them again, or leave them out with --skip-broken.' },
  );
}

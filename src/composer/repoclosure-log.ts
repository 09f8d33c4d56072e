import type { RepoclosureCheck } from './selection.ts';

/** The compose whose repoclosure is told, for a command that people may run on it. */
export interface RepoclosureSubject {
  readonly composeId: string;
  /** Returns the URL of the repository of a variant, of the arch that is checked. */
  readonly urlOf: (uid: string) => string;
}

/** Returns the path of the log of a check, below the directory of the logs. */
export function repoclosureLogPath({ variant, arch }: Pick<RepoclosureCheck, 'variant' | 'arch'>): string {
  return `${arch}/repoclosure-${variant}.${arch}.log`;
}

function repositoryId({ composeId }: RepoclosureSubject, uid: string, { arch }: RepoclosureCheck): string {
  return `${composeId}-repoclosure-${uid}.${arch}`;
}

/** Returns the command that gives the same answer as a check. Source: main compose contract 10. */
export function formatRepoclosureCommand(subject: RepoclosureSubject, check: RepoclosureCheck): string {
  const { variant, arch, arches, supporters, lookasides } = check;
  const repositories = [
    ...[variant, ...supporters].map((uid) => [repositoryId(subject, uid, check), subject.urlOf(uid)]),
    ...lookasides.map((url, at) => [`${subject.composeId}-repoclosure-lookaside-${at}`, url]),
  ];
  return [
    'dnf repoclosure',
    ...arches.map((arch) => `--arch=${arch}`),
    `--forcearch=${arches[0] ?? arch}`,
    ...repositories.flatMap(([id, url]) => [`--repofrompath=${id},${url}`, `--repo=${id}`]),
    `--check=${repositoryId(subject, variant, check)}`,
  ].join(' ');
}

/**
 * Returns the log of a check in the form that people know; its first line is the command that gives the same answer.
 * Source: main compose contract 10.
 */
export function formatRepoclosureLog(subject: RepoclosureSubject, check: RepoclosureCheck): string {
  return [
    `COMMAND: ${formatRepoclosureCommand(subject, check)}`,
    '-'.repeat(79),
    ...formatUnresolved(
      check.unresolved.map((unresolved) => ({
        ...unresolved,
        repository: repositoryId(subject, check.variant, check),
      })),
    ),
    '',
  ].join('\n');
}

/** Returns the lines that tell of packages and what they lack; none where they lack nothing. */
export function formatUnresolved(
  unresolved: readonly {
    readonly nevra: string;
    readonly repository: string;
    readonly dependencies: readonly string[];
  }[],
): readonly string[] {
  if (unresolved.length === 0) return [];
  const count = unresolved.reduce((sum, { dependencies }) => sum + dependencies.length, 0);
  return [
    ...unresolved.flatMap(({ nevra, repository, dependencies }) => [
      `package: ${nevra} from ${repository}`,
      `  unresolved deps (${dependencies.length}):`,
      ...dependencies.map((dependency) => `    ${dependency}`),
    ]),
    `Error: Repoclosure ended with unresolved dependencies (${count}) across ${unresolved.length} packages.`,
  ];
}

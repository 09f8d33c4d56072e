import { ReactorError } from '../../model/errors.ts';
import { releaseComposeId, type ComposeType } from '../../rpm/productmd.ts';
import type { MainDefinition } from './main-definition.ts';

/** What names a compose. */
export interface MainIdentity {
  readonly id: string;
  /** `YYYYMMDD` */
  readonly date: string;
  readonly type: ComposeType;
  readonly respin: number;
  readonly label: string | null;
  readonly isFinal: boolean;
  /** Seconds since 1970. */
  readonly timestamp: number;
}

const labelNames =
  'EA DevelPhaseExit InternalAlpha Alpha InternalSnapshot Beta Snapshot RC Update SecurityFix'.split(' ');
const labelPattern = new RegExp(`^(?:${labelNames.join('|')})-\\d+\\.\\d+$`);
const finalPattern = /^(?:RC|Update|SecurityFix)-/;

/** Throws `main.label_invalid` for what is none of the known labels. Source: main compose contract 9. */
export function checkLabel(label: string): void {
  if (labelPattern.test(label)) return;
  throw new ReactorError('main.label_invalid', `Label in unknown format: ${label}`, {
    hint: `Labels are written like RC-1.0; known ones are ${labelNames.join(', ')}.`,
  });
}

/**
 * Makes the identity of a compose. A production compose has a label unless it is said that it has none. Throws
 * `main.label_invalid`, `main.label_missing`. Source: main compose contract 9.
 */
export function identityOf(
  definition: Pick<MainDefinition, 'release' | 'baseProduct'>,
  chosen: Pick<MainIdentity, 'date' | 'type' | 'respin' | 'label' | 'timestamp'> & {
    readonly isSupported: boolean;
    readonly mayLackLabel: boolean;
  },
): MainIdentity {
  const { date, type, respin, label, timestamp } = chosen;
  if (label !== null) checkLabel(label);
  if (type === 'production' && label === null && !chosen.mayLackLabel) {
    throw new ReactorError('main.label_missing', 'must specify label for a production compose');
  }
  const isFinal = label !== null && (chosen.isSupported || finalPattern.test(label));
  const id = releaseComposeId(definition.release, definition.baseProduct, chosen);
  return { id, date, type, respin, label, isFinal, timestamp };
}

/** How the link to the latest compose is cut and when it is set. */
export interface LatestLinkOptions {
  /** Parts of the version: all but so many when negative, none with 0. */
  readonly components: number;
  /** Set for these only; for all when empty. */
  readonly statuses: readonly string[];
}

export interface LatestLink {
  /** Null when none is set. */
  readonly name: string | null;
  readonly warnings: readonly string[];
}

/** The name of the link to the latest compose of a release. Source: main compose contract 9. */
export function latestLinkOf(
  { release, baseProduct }: Pick<MainDefinition, 'release' | 'baseProduct'>,
  status: string,
  { components, statuses }: LatestLinkOptions,
): LatestLink {
  if (statuses.length > 0 && !statuses.includes(status)) {
    const wanted = statuses.map((word) => `'${word}'`).join(', ');
    const warning = `Compose status (${status}) doesn't match with specified latest-link-status ([${wanted}]), not create latest link.`;
    return { name: null, warnings: [warning] };
  }
  const parts = release.version.split('.');
  const count = components < 0 ? Math.max(1, parts.length + components) : components;
  const version = count === 0 ? '' : `-${parts.slice(0, count).join('.')}`;
  const base = baseProduct === null ? '' : `-${baseProduct.short}-${baseProduct.version}`;
  return { name: `latest-${release.short}${version}${base}`, warnings: [] };
}

/** Phases that need others. Source: main compose contract 1. */
const needs = [
  ['gather', 'pkgset'],
  ['createrepo', 'gather'],
] as const;

/** Finds phases that run although one they need is skipped, worded as the reference composer words it. */
export function findPhaseFaults(isSkipped: (phase: string) => boolean): string[] {
  return needs
    .filter(([phase, needed]) => !isSkipped(phase) && isSkipped(needed))
    .map(([phase, needed]) => `${needed} phase is skipped but it's needed by ${phase} phase`);
}

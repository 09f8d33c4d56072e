import type { RawDependency } from './header/rpm-dependencies.ts';
import { comparisonOf, isPre } from './header/rpm-dependencies.ts';
import type { Dependency } from './dependency.ts';
import { decodeRaw } from './header/header-blob.ts';

/** Epoch, version and release of a dependency, each empty where it says nothing. */
export interface DependencyVersion {
  readonly epoch: string;
  readonly version: string;
  readonly release: string;
}

const nothing: DependencyVersion = { epoch: '', version: '', release: '' };

/** Takes `[epoch:]version[-release]` apart as createrepo_c does: a missing epoch is 0, of nothing nothing. */
export function parseDependencyVersion(evr: string): DependencyVersion {
  if (evr === '') return nothing;
  const colon = evr.indexOf(':');
  const epoch = colon > 0 ? evr.slice(0, colon) : '0';
  const rest = evr.slice(colon + 1);
  const dash = rest.indexOf('-');
  return dash < 0
    ? { epoch, version: rest, release: '' }
    : { epoch, version: rest.slice(0, dash), release: rest.slice(dash + 1) };
}

/**
 * Whether repodata has the dependency at all: not without a name, and not with an epoch that is no number.
 * Source: createrepo_c 0.17.
 */
export function isKept({ name, evr }: RawDependency): boolean {
  const colon = evr.indexOf(':');
  return name !== '' && (colon < 1 || /^\d+$/.test(evr.slice(0, colon)));
}

/** A dependency of a header as repodata and gather have it. */
export function dependencyOf(raw: RawDependency): Dependency {
  const flag = comparisonOf(raw.flags);
  const name = decodeRaw(raw.name);
  const pre = isPre(raw.flags) ? { pre: true } : {};
  if (flag === undefined) return { name, ...pre };
  const { epoch, version, release } = parseDependencyVersion(decodeRaw(raw.evr));
  return {
    name,
    flag,
    ...(epoch === '' ? {} : { epoch }),
    ...(version === '' ? {} : { version }),
    ...(release === '' ? {} : { release }),
    ...pre,
  };
}

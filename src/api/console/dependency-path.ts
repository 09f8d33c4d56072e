import { html } from 'hono/html';
import type { Nevra } from '../../model/nevra.ts';
import type { HeldPackage, HeldPackages } from './compose-contents.ts';
import type { Html } from './page.ts';

/** One package on the way from what was asked for to another one. */
export interface PathStep {
  readonly nevra: Nevra;
  /** How the package before led to it: `requires libc.so.6`; how it was chosen, for the first. */
  readonly how: string;
}

/** Packages of a way that are shown. */
const MOST_STEPS = 40;

/** What reasons say of another package. Source: the sentences of gathering. */
const led = [
  [/ is required by (\S+) through "(.*)"\.$/, 'requires'],
  [/ is required to build (\S+) through "(.*)"\.$/, 'is built with'],
  [/ is a langpack of (\S+)\.$/, 'has the langpack'],
  [/ is the source of (\S+)\.$/, 'has the source'],
  [/ is debuginfo of (\S+)\.$/, 'has the debuginfo'],
  [/ is of the same build as (\S+)\.$/, 'is of one build with'],
  [/ is multilib of (\S+) by (\S+)\.$/, 'has the multilib package, by'],
] as const;

/** Returns the package that a reason names, and how it led here; null for one that names none. */
export function readReason(why: string): { readonly by: string; readonly how: string } | null {
  for (const [pattern, words] of led) {
    const [, by, what] = pattern.exec(why) ?? [];
    if (by !== undefined) return { by, how: what === undefined ? words : `${words} ${what}` };
  }
  return null;
}

/** `name-[epoch:]version-release.arch`, as reasons name packages. */
function shortName({ name, epoch, version, release, arch }: Nevra): string {
  return `${name}-${epoch === '0' ? '' : `${epoch}:`}${version}-${release}.${arch}`;
}

/**
 * Returns the way from what was asked for to a package of one arch, that package last; one step where nothing else led to
 * it.
 */
export function dependencyPath(packages: readonly HeldPackage[], of: HeldPackage): readonly PathStep[] {
  const byName = new Map(packages.map((rpm) => [shortName(rpm.nevra), rpm]));
  const steps: PathStep[] = [];
  const seen = new Set<HeldPackage>();
  let at: HeldPackage | undefined = of;
  while (at !== undefined && !seen.has(at) && steps.length < MOST_STEPS) {
    seen.add(at);
    const reason = readReason(at.why);
    steps.unshift({ nevra: at.nevra, how: reason?.how ?? firstWords(at) });
    at = reason === null ? undefined : byName.get(reason.by);
  }
  return steps;
}

/** How a package was chosen that no other one led to: its reason without its own name. */
function firstWords({ nevra, why }: HeldPackage): string {
  const own = `${shortName(nevra)} is `;
  return why.startsWith(own) ? why.slice(own.length) : why;
}

/** Why the packages of a name are in a compose, drawn; each way once. Empty where none is called just so. */
export function pathSection(held: HeldPackages, name: string): Html {
  const paths = [...held].flatMap(([arch, packages]) =>
    packages
      .filter(({ nevra, why }) => nevra.name === name && why !== '')
      .map((target) => ({ arch, steps: dependencyPath(packages, target) })),
  );
  const byNames = Map.groupBy(paths, ({ steps }) =>
    steps.map(({ nevra, how }) => `${nevra.name} ${how}`).join('\n'),
  );
  if (byNames.size === 0) return html``;
  return html`<h3>Why ${name} is in it</h3>
    ${[...byNames.values()].map(([first, ...others]) =>
      first === undefined
        ? ''
        : drawPath(
            first.steps,
            [first, ...others].map(({ arch }) => arch),
          ),
    )}`;
}

function drawPath(steps: readonly PathStep[], arches: readonly string[]): Html {
  return html`<p class="small soft">${[...new Set(arches)].join(', ')}</p>
    <ol class="path">
      ${steps.map(
        ({ nevra, how }, at) =>
          html`<li>
            ${at === 0 ? '' : html`<span class="how">${how} <span aria-hidden="true">→</span></span>`}
            <span class="step ${at === steps.length - 1 ? 'here' : ''}">
              <a href="?q=${encodeURIComponent(nevra.name)}#packages">${nevra.name}</a>
              <span class="small soft">${at === 0 ? how : `${nevra.version}-${nevra.release}`}</span>
            </span>
          </li>`,
      )}
    </ol>`;
}

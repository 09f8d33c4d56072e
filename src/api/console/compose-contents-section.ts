import { html } from 'hono/html';
import { isGlob, matchGlob } from '../../model/glob.ts';
import type { Compose } from '../../model/compose-json.ts';
import type { HeldPackage, HeldPackages } from './compose-contents.ts';
import { pathSection } from './dependency-path.ts';
import { stackTable } from './elements.ts';
import type { Html, PageContext } from './page.ts';

const mostRows = 300;
/** An arch with so few packages is shown unfolded. */
const fewRows = 40;

/**
 * The packages of a compose by arch, those that are looked for, each with why it is there; where there is none of that
 * name, why not. `wanted` is a part of the name or covers it with wildcards, in letters of whatever case.
 */
export function contentsSection(
  context: PageContext,
  compose: Compose,
  held: HeldPackages | null,
  wanted: string,
): Html {
  if (held === null) return html``;
  const total = [...held.values()].reduce((sum, packages) => sum + packages.length, 0);
  const arches = archParts(held, { wanted, hasPaths: true });
  const search =
    total <= fewRows && wanted === ''
      ? ''
      : html`<form method="get" action="#packages">
          <label>Name, or a part of it; * and ? <input name="q" value="${wanted}" maxlength="100" /></label>
          <button>Find</button>
        </form>`;
  const isMissing =
    wanted !== '' && ![...held.values()].flat().some(({ nevra }) => isNamed(nevra.name, wanted));
  return html`<h2 id="packages">What it holds</h2>
    ${total === 0 ? html`<p>No packages.</p>` : ''} ${search}
    ${wanted === '' ? '' : pathSection(held, wanted)}
    ${isMissing ? whyNotIn(context, compose, wanted) : arches}
    <p class="small">
      <a href="${context.prefix}/api/1/composes/${compose.id}/manifest">The manifest</a>, every line its
      fingerprint is made of.
    </p>`;
}

function isNamed(name: string, wanted: string): boolean {
  const [text, pattern] = [name.toLowerCase(), wanted.toLowerCase()];
  return isGlob(pattern) ? matchGlob(pattern, text) : text.includes(pattern);
}

/** Why a compose has nothing of a name, as far as its request tells. */
function whyNotIn(
  { prefix }: PageContext,
  { request, source, sigkeys, arches }: Compose,
  wanted: string,
): Html {
  const asked = request.packages ?? [];
  const names = `${asked.slice(0, 8).join(', ')}${asked.length > 8 ? ` and ${asked.length - 8} more` : ''}`;
  const reason =
    asked.length === 0
      ? `Everything of ${source} is in it that has packages for ${arches}${sigkeys.trim() === '' ? '' : ` and is signed with ${sigkeys}`}: it was not there when the inputs were read, or not signed.`
      : request.flags.includes('no_deps')
        ? `Only what was asked for is in it: ${names}.`
        : `What was asked for is in it, and what that requires: ${names}. None of these requires it.`;
  return html`<div class="notice">
    <p><strong>Why nothing of "${wanted}" is in it.</strong> ${reason}</p>
    <p><a href="${prefix}/find?q=${encodeURIComponent(wanted)}">What is known of ${wanted}</a></p>
  </div>`;
}

/** What is shown of packages. */
interface PackageView {
  /** A part of the names that are looked for; empty for all. */
  readonly wanted: string;
  /** Whether names lead to why they are in. */
  readonly hasPaths: boolean;
}

/** The packages by arch, those that are looked for; folded where they are many. */
export function archParts(
  held: HeldPackages,
  view: PackageView = { wanted: '', hasPaths: false },
): readonly Html[] {
  return [...held].map(([arch, packages]) => archPart(arch, packages, view));
}

function archPart(arch: string, packages: readonly HeldPackage[], { wanted, hasPaths }: PackageView): Html {
  const kinds = Map.groupBy(packages, ({ kind }) => kind);
  const counts = [...kinds].map(([kind, list]) => `${list.length} ${kind}`).join(', ');
  const found = wanted === '' ? packages : packages.filter(({ nevra }) => isNamed(nevra.name, wanted));
  const rows = found.slice(0, mostRows).map((rpm) => packageRow(rpm, hasPaths));
  const isOpen = packages.length <= fewRows || wanted !== '';
  const rest = found.length - rows.length;
  const table = html`<div class="wide">
      ${stackTable(['Package', 'Version', 'Kind', 'Key', 'Why'], rows, 'packages')}
    </div>
    ${rest > 0 ? html`<p class="soft">And ${rest} more; find them by name or in the manifest.</p>` : ''}`;
  const summary = html`<summary><strong>${arch}</strong> <span class="soft">${counts}</span></summary>`;
  return isOpen
    ? html`<details open>${summary}${table}</details>`
    : html`<details>${summary}${table}</details>`;
}

function packageRow({ nevra, kind, sigkey, why }: HeldPackage, hasPath: boolean): Html {
  const { name, arch, epoch, version, release } = nevra;
  const key =
    sigkey === '?'
      ? html`<td></td>`
      : html`<td data-label="Key">${sigkey === '-' ? 'unsigned' : html`<code>${sigkey}</code>`}</td>`;
  const label =
    hasPath && why !== '' ? html`<a href="?q=${encodeURIComponent(name)}#packages">${name}</a>` : name;
  return html`<tr>
    <td>${label}<span class="soft">.${arch}</span></td>
    <td>${epoch === '0' ? '' : `${epoch}:`}${version}-${release}</td>
    <td class="plain">${kind}</td>
    ${key}
    <td class="small">${why}</td>
  </tr>`;
}

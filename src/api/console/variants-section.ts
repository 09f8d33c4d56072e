import { html } from 'hono/html';
import { z } from 'zod';
import { composeJson, type Compose } from '../../model/compose-json.ts';
import type { ManifestDiff } from '../../model/manifest-diff.ts';
import { treePlaces, type PlacedVariant } from '../../rpm/productmd-variant.ts';
import { formatBytes } from '../format-bytes.ts';
import { readComposeFile } from './compose-contents.ts';
import { stackTable } from './elements.ts';
import type { Html, PageContext } from './page.ts';

const countsSchema = z.object({ binary: z.number(), debug: z.number(), source: z.number() });
const summarySchema = z.array(
  z.object({
    variant: z.string(),
    arch: z.string(),
    packages: countsSchema,
    bytes: countsSchema,
    unresolved: z.number().nullable(),
  }),
);
type TreeSummary = z.infer<typeof summarySchema>[number];

const infoSchema = z.object({
  payload: z.object({
    variants: z.record(
      z.string(),
      z.object({
        type: z.enum(['variant', 'optional', 'addon', 'layered-product']),
        variants: z.array(z.string()).optional(),
      }),
    ),
  }),
});

/**
 * The trees of a main compose by variant and arch: how many packages and bytes each holds, what changed in it since the
 * compose before, and how its repository is. Empty for composes that do not tell.
 */
export async function variantsSection(
  context: PageContext,
  compose: Compose,
  diff: ManifestDiff | null,
): Promise<Html> {
  const text = await readComposeFile(context, compose, 'logs/global/trees.json');
  const trees = summarySchema.safeParse(parseJson(text));
  if (!trees.success) return html``;
  const info = await readComposeFile(context, compose, 'compose/metadata/composeinfo.json');
  const placed = placedVariants(parseJson(info));
  const changes = diff === null ? null : countChanges(diff);
  const { toplevel_url: top } = composeJson(compose, context.targetDirUrls);
  const rows = trees.data.map((tree) => {
    const repository = treePlaces(placed(tree.variant), tree.arch).binary.repository;
    return html`<tr>
      <td>${tree.variant}</td>
      <td>${tree.arch}</td>
      <td data-label="Packages">
        ${tree.packages.binary}
        <span class="soft">${tree.packages.debug} debug, ${tree.packages.source} source</span>
      </td>
      <td data-label="Size">${formatBytes(tree.bytes.binary)}</td>
      <td data-label="Changed">
        ${changes === null ? '' : changeText(changes.get(`${tree.variant}/${tree.arch}`))}
      </td>
      <td><a href="${top}/compose/${repository}/">repository</a> ${closureText(tree)}</td>
    </tr>`;
  });
  return html`<h2 id="variants">Variants</h2>
    ${stackTable(['Variant', 'Arch', 'Packages', 'Size', 'Changed', 'State'], rows)}`;
}

function parseJson(text: string | null): unknown {
  try {
    return JSON.parse(text ?? 'null');
  } catch {
    return null;
  }
}

/** Children lie beside or in their parents: their uid begins with that of the parent. */
function placedVariants(info: unknown): (uid: string) => PlacedVariant {
  const parsed = infoSchema.safeParse(info);
  const variants = parsed.success ? parsed.data.payload.variants : {};
  return (uid) => {
    const parents = Object.keys(variants).filter((other) => uid.startsWith(`${other}-`));
    const type = Object.hasOwn(variants, uid) ? variants[uid]?.type : undefined;
    const parent = parents.find((candidate) =>
      variants[candidate]?.variants?.includes(uid.slice(candidate.length + 1)),
    );
    return { uid, type: type ?? 'variant', parent: parent ?? null };
  };
}

/** Lines by place, `BaseOS/x86_64`. */
function countChanges(diff: ManifestDiff): ReadonlyMap<string, ReadonlyMap<string, number>> {
  const counts = new Map<string, Map<string, number>>();
  const count = (what: string, place: string): void => {
    const known = counts.get(place) ?? new Map<string, number>();
    known.set(what, (known.get(what) ?? 0) + 1);
    counts.set(place, known);
  };
  const placeOf = (line: string): string => line.slice(0, line.indexOf(' '));
  for (const { arch } of diff.upgraded) count('upgraded', arch);
  for (const { arch } of diff.downgraded) count('downgraded', arch);
  for (const line of diff.added) count('added', placeOf(line));
  for (const line of diff.removed) count('removed', placeOf(line));
  for (const line of diff.replaced) count('replaced', placeOf(line));
  return counts;
}

function changeText(counts: ReadonlyMap<string, number> | undefined): string {
  return counts === undefined ? 'nothing' : [...counts].map(([what, count]) => `${count} ${what}`).join(', ');
}

function closureText({ unresolved }: TreeSummary): Html {
  if (unresolved === null) return html``;
  return unresolved === 0
    ? html`<span class="soft">closed</span>`
    : html`<span class="badge busy">${unresolved} unresolved</span>`;
}

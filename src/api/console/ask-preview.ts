import { html } from 'hono/html';
import { formatNvra } from '../../model/nevra.ts';
import { formatBytes } from '../format-bytes.ts';
import type { DryRun } from '../plan-only.ts';
import { ApiProblem } from '../problem.ts';
import type { AskRecipes } from './ask-recipes.ts';
import { heldPackagesOf } from './compose-contents.ts';
import { archParts } from './compose-contents-section.ts';
import { copyBox } from './elements.ts';
import type { Html, PageContext } from './page.ts';

/** What is shown beside the form. */
export type Preview =
  | { readonly kind: 'problem'; readonly problem: ApiProblem }
  | {
      readonly kind: 'asked';
      readonly recipes: AskRecipes;
      /** What planning said instead where it could not. */
      readonly run: DryRun | ApiProblem;
    };

/** What would be composed, and how else the same is asked for; before anything is asked, what will stand there. */
export function previewSection(context: PageContext, preview: Preview | null): Html {
  if (preview === null) {
    return html`<p class="empty">
      What it would hold stands here before anything is made: packages with the reason of each, their size,
      the compose that would be reused, warnings; and the same for curl, the command line and as a rule.
    </p>`;
  }
  if (preview.kind === 'problem') return problemNotice(preview.problem);
  const { run, recipes } = preview;
  return html`${run instanceof ApiProblem ? problemNotice(run) : planSection(context, run)}
    <h2>The same</h2>
    <h3>With curl</h3>
    ${copyBox('same-curl', recipes.curl)}
    <h3>On the command line</h3>
    ${copyBox('same-command', recipes.command)}
    <h3>As a rule, whenever its inputs change</h3>
    ${copyBox('same-rule', recipes.rule)}`;
}

function problemNotice({ message, hint, code }: ApiProblem): Html {
  return html`<div class="notice bad" role="alert">
    <p><strong>${message}</strong></p>
    <p>${hint ?? ''} <span class="soft small">${code}</span></p>
  </div>`;
}

function planSection({ prefix }: PageContext, { planned, reuses }: DryRun): Html {
  const held = heldPackagesOf(planned.manifest, (arch, nevra) =>
    planned.whyOf(arch, `${formatNvra(nevra)}.rpm`),
  );
  const total = [...held.values()].reduce((sum, packages) => sum + packages.length, 0);
  const size = planned.bytes === 0 ? '' : `, ${formatBytes(planned.bytes)}`;
  return html`<div class="notice ${total === 0 ? 'busy' : 'good'}">
      <p>
        <strong>It would hold ${total} package${total === 1 ? '' : 's'}${size}.</strong>
        ${
          reuses === null
            ? 'No living compose holds just this: it would be made.'
            : html`Nothing would have to be made:
                <a href="${prefix}/console/composes/${reuses}">compose ${reuses}</a> holds just this.`
        }
      </p>
    </div>
    ${
      planned.warnings.length === 0
        ? ''
        : html`<div class="notice busy">
            <ul>
              ${planned.warnings.map((warning) => html`<li>${warning}</li>`)}
            </ul>
          </div>`
    }
    ${archParts(held)}`;
}

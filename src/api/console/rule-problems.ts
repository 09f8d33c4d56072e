import { html } from 'hono/html';
import type { FileProblem } from '../../model/file-problem.ts';
import type { Html } from './page.ts';

/** What is wrong in the rule files, each with its place; empty where nothing is. */
export function problemList(problems: readonly FileProblem[]): Html {
  if (problems.length === 0) return html``;
  const lines = problems.map(
    ({ file, line, column, message, hint, code }) =>
      html`<li>
        <code>${file}:${line}:${column}</code> ${message} ${hint ?? ''} <span class="soft">${code}</span>
      </li>`,
  );
  return html`<div class="notice bad" role="alert">
    <p><strong>The rule files are wrong.</strong> The last good set goes on until they are mended.</p>
    <ul>
      ${lines}
    </ul>
  </div>`;
}

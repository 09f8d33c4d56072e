import { html } from 'hono/html';
import { composeDirectoryName } from '../../model/compose.ts';
import { composeJson, type Compose } from '../../model/compose-json.ts';
import { moduleLines, readComposeFile } from './compose-contents.ts';
import { copyBox } from './elements.ts';
import type { Html, PageContext } from './page.ts';

/** How to use a finished compose: its `.repo` file, and the dnf commands, for modules with stream and profile. */
export async function useSection(context: PageContext, compose: Compose): Promise<Html> {
  if (compose.state !== 'done') return html``;
  const { result_repo: repo, result_repofile: file } = composeJson(compose, context.targetDirUrls);
  if (file === '')
    return html`<h2>Use it</h2>
      <p>It lies in the target directory ${compose.targetDir}, which has no public address.</p>`;
  const name = composeDirectoryName(compose);
  const text = await readComposeFile(context, compose, `compose/Temporary/${name}.repo`);
  const dnf = `dnf --nogpgcheck --repofrompath='${name},${repo}/$basearch/os'`;
  const modules = moduleLines(text ?? '');
  const names = (compose.request.packages ?? []).filter((name) => /^[\w.+:-]+$/.test(name)).slice(0, 20);
  const commands =
    modules.length > 0
      ? modules.map((line) => line.replace(/^dnf/, dnf))
      : [`${dnf} ${names.length > 0 ? `install ${names.join(' ')}` : `--repo ${name} repoquery`}`];
  return html`<h2 id="use">Use it</h2>
    <p>
      ${modules.length > 0 ? 'Install its modules, beside the repositories the system has:' : 'In one line:'}
    </p>
    ${copyBox('use-once', commands.join('\n'))}
    <p>Or keep <a href="${file}">${name}.repo</a>, then use dnf as always:</p>
    ${copyBox('use-file', [`curl -fo /etc/yum.repos.d/${name}.repo '${file}'`, ...modules].join('\n'))}
    <p>In a Containerfile:</p>
    ${copyBox(
      'use-image',
      `RUN curl -fo /etc/yum.repos.d/${name}.repo '${file}' \\\n && dnf -y ${names.length > 0 ? `install ${names.join(' ')}` : 'upgrade'} && dnf clean all`,
    )}
    <p>
      To keep:
      <a href="${context.prefix}/api/1/composes/${compose.id}/manifest">list of packages</a>,
      <a href="${context.prefix}/api/1/composes/${compose.id}/rpms.lock.yaml">lock file</a>, bill of materials
      as <a href="${context.prefix}/api/1/composes/${compose.id}/sbom">CycloneDX</a> or
      <a href="${context.prefix}/api/1/composes/${compose.id}/sbom?format=spdx">SPDX</a>
    </p>
    ${
      text === null
        ? html`<p class="notice busy">This process cannot read the files of the compose.</p>`
        : html`<details>
            <summary>${name}.repo</summary>
            <pre tabindex="0">${text}</pre>
          </details>`
    }`;
}

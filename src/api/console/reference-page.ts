import { html } from 'hono/html';
import type { ApiApp, RegisterRoute } from '../context.ts';
import { describeApi } from '../openapi.ts';
import { stackTable } from './elements.ts';
import { formatSchema, type Schema } from './format-schema.ts';
import { registerPage, type Html, type Page } from './page.ts';

type ApiDocument = ReturnType<ApiApp['getOpenAPI31Document']>;
type PathItem = NonNullable<ApiDocument['paths']>[string];
type DescribedOperation = NonNullable<PathItem['get']>;

const methods = ['get', 'post', 'put', 'patch', 'delete'] as const;

interface Described extends DescribedOperation {
  readonly method: string;
  readonly path: string;
}

/** GET /console/api: what the OpenAPI document says, for people. */
export const registerReferencePage: RegisterRoute = (app, api) => {
  registerPage(app, api, { path: '/console/api', keys: [] }, (context): Promise<Page> => {
    const document = app.getOpenAPI31Document(describeApi(api, context.publicBase));
    const operations = Object.entries(document.paths ?? {}).flatMap(([path, item]) =>
      methods.flatMap((method): Described[] => {
        const operation = item[method];
        return operation === undefined ? [] : [{ ...operation, method: method.toUpperCase(), path }];
      }),
    );
    const tags = document.tags ?? [];
    const body = html`<h1>API</h1>
      <p class="lead">
        ${tags.map(({ name }, index) => html`${index === 0 ? '' : ' · '}<a href="#${name}">${name}</a>`)} ·
        <a href="#schemas">schemas</a>
      </p>
      ${(document.info.description ?? '').split('\n\n').map((text) => html`<p>${text.replaceAll('`', '')}</p>`)}
      <p>
        For programs: <a href="${context.prefix}/api/1/openapi.json">openapi.json</a> (OpenAPI 3.1), of which
        clients are generated.
      </p>
      ${tags.map(
        ({ name, description = '' }) =>
          html`<h2 id="${name}">${name} <span class="soft small">${description}</span></h2>
            ${operations.filter((operation) => operation.tags?.includes(name)).map(describeOperation)}`,
      )}
      <h2 id="schemas">schemas</h2>
      ${Object.entries(document.components?.schemas ?? {}).map(
        ([name, schema]) =>
          html`<h3 id="schema-${name}">${name}</h3>
            <pre tabindex="0">${formatSchema(schema)}</pre>`,
      )}`;
    return Promise.resolve({ title: 'API', here: 'api', body });
  });
};

function describeOperation(operation: Described): Html {
  const {
    method,
    path,
    operationId = '',
    summary = '',
    parameters = [],
    requestBody,
    responses = {},
  } = operation;
  const rows = parameters.flatMap((parameter) => {
    if (!('name' in parameter)) return [];
    const type = parameter.schema === undefined ? '' : formatSchema(parameter.schema);
    return [
      html`<tr>
        <td><code>${parameter.name}</code></td>
        <td data-label="In">${parameter.in}${parameter.required === true ? ', required' : ''}</td>
        <td data-label="Type"><code>${type}</code></td>
        <td>${parameter.description ?? ''}</td>
      </tr>`,
    ];
  });
  const content = requestBody !== undefined && 'content' in requestBody ? requestBody.content : {};
  return html`<details id="${operationId}">
    <summary><code>${method} ${path}</code> ${summary}</summary>
    ${rows.length === 0 ? '' : stackTable(['Parameter', 'In', 'Type', 'What'], rows)}
    ${Object.entries(content).map(([type, { schema }]) => describeContent(`Body, ${type}`, schema))}
    ${Object.entries(responses).map(([status, response]) => {
      if (typeof response !== 'object' || response === null || !('description' in response)) return '';
      const [first] = Object.entries<{ readonly schema?: Schema }>(response.content ?? {});
      const told = `${status}: ${response.description}`;
      if (first === undefined || !status.startsWith('2')) return html`<p>${told}</p>`;
      return describeContent(`${told} (${first[0]})`, first[1].schema);
    })}
  </details>`;
}

function describeContent(told: string, schema: Schema | undefined): Html {
  return html`<p>${told}</p>
    ${schema === undefined ? '' : html`<pre tabindex="0">${formatSchema(schema)}</pre>`}`;
}

import { readFileSync } from 'node:fs';
import { messageOf, ReactorError } from '../../model/errors.ts';
import { configuredPolicy } from '../http/fetch-policy.ts';
import { HttpClient, type HttpRequest } from '../http/http-client.ts';
import { readText } from '../http/read-body.ts';

const TIMEOUT_MS = 10_000;
const MOST_BYTES = 1024 * 1024;

/** Asks an OIDC provider for JSON, each question once and without redirects. */
export interface ProviderClient extends Disposable {
  /** GETs, or POSTs a form. Throws `oidc.unanswered` (retry) for anything that is no JSON object. */
  ask(url: string, question?: ProviderQuestion): Promise<Readonly<Record<string, unknown>>>;
}

export interface ProviderQuestion {
  readonly headers?: Readonly<Record<string, string>>;
  readonly form?: Readonly<Record<string, string>>;
}

/**
 * Opens a client of the origins that some URLs have. `authority` is the path of a PEM file, empty for the authorities
 * of Node. Throws `config.invalid_value` where that file cannot be read.
 */
export function openProviderClient(urls: readonly string[], authority: string): ProviderClient {
  const authorities = authority === '' ? undefined : readAuthority(authority);
  const client = new HttpClient({
    policy: configuredPolicy(urls),
    tries: 1,
    ...(authorities === undefined ? {} : { tls: () => ({ authorities }) }),
  });
  return {
    async ask(url, { headers = {}, form } = {}) {
      try {
        const posted = form === undefined ? {} : postOf(form);
        const request = {
          ...posted,
          url,
          redirects: 'refuse',
          timeoutMs: TIMEOUT_MS,
          headers: { accept: 'application/json', ...headers, ...posted.headers },
        } as const;
        const answer: unknown = JSON.parse(
          await client.fetch(request, (body) => readText(body, { limit: MOST_BYTES })),
        );
        if (typeof answer === 'object' && answer !== null && !Array.isArray(answer)) return { ...answer };
        throw new Error('its answer is no JSON object');
      } catch (cause) {
        throw new ReactorError('oidc.unanswered', `The OIDC provider does not answer: ${messageOf(cause)}.`, {
          where: url,
          fate: 'retry',
          cause,
        });
      }
    },
    [Symbol.dispose]: () => client.close(),
  };
}

function postOf(form: Readonly<Record<string, string>>): Pick<HttpRequest, 'method' | 'headers' | 'body'> {
  return {
    method: 'POST',
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: new URLSearchParams(form).toString(),
  };
}

function readAuthority(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (cause) {
    throw new ReactorError(
      'config.invalid_value',
      `The setting "oidc_ca" is not valid: ${messageOf(cause)}.`,
      {
        where: file,
        fate: 'halt',
        cause,
      },
    );
  }
}

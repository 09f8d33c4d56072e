import { ReactorError } from '../../model/errors.ts';
import type { ComposeJson } from '../../model/compose-json.ts';
import { runSigner } from '../signing/run-signer.ts';

/** Fills in a template as the wrapper of a raw config is: `compose` is the JSON of the compose. Source: ODCS contract 17. */
const PROGRAM = `
import json, sys
import jinja2
given = json.load(sys.stdin)
sys.stdout.write(jinja2.Template(given["template"]).render(compose=given["compose"]))
`;
const TIMEOUT_SECONDS = 30;

/**
 * Fills in the wrapper of a raw config by Python's Jinja2, in a process that has none of the secrets of this one. A text
 * without anything to fill in is returned as it is. Throws `pungi.wrapper`.
 */
export async function renderWrapper(
  { python, signal }: { readonly python: string; readonly signal: AbortSignal },
  template: string,
  compose: ComposeJson,
): Promise<string> {
  if (!/\{[{%#]/.test(template)) return template;
  const end = await runSigner({
    words: [python, '-c', PROGRAM],
    input: Buffer.from(JSON.stringify({ template, compose })),
    timeoutSeconds: TIMEOUT_SECONDS,
    signal,
    environment: { PYTHONIOENCODING: 'utf-8' },
  });
  switch (end.kind) {
    case 'exited':
      if (end.code === 0) return end.output.toString('utf8');
      throw wrapperFault(lastLineOf(end.complaint) || `Python ended with ${end.code}`);
    case 'missing':
      throw wrapperFault(`there is no program ${python}`);
    case 'timed_out':
      throw wrapperFault(`it takes more than ${TIMEOUT_SECONDS} seconds`);
    default:
      return end satisfies never;
  }
}

function lastLineOf(text: string): string {
  return text.trimEnd().split('\n').at(-1) ?? '';
}

function wrapperFault(why: string): ReactorError {
  return new ReactorError('pungi.wrapper', `The wrapper of the configuration cannot be filled in: ${why}.`, {
    hint: 'The setting pungi_python names a Python that has jinja2; the wrapper is one of its templates.',
  });
}

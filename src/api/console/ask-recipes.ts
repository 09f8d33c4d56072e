import { stringify } from 'yaml';
import type { Config } from '../../config.ts';
import type { AskedBody } from './ask-form.ts';

/** How else the same can be asked for. */
export interface AskRecipes {
  readonly curl: string;
  readonly command: string;
  /** A rule that asks for it whenever its inputs change. */
  readonly rule: string;
}

/** What recipes are written for. */
export interface RecipeContext {
  readonly publicBase: string;
  readonly auth: Config['auth_backend'];
  /** Who asks; null where that is not known. */
  readonly user: string | null;
}

/** Returns how else the same can be asked for. */
export function recipesOf(context: RecipeContext, body: AskedBody): AskRecipes {
  return { curl: curlOf(context, body), command: commandOf(context, body), rule: ruleOf(context, body) };
}

function curlOf({ publicBase, auth }: RecipeContext, body: AskedBody): string {
  const login = loginOf(auth);
  return [
    `curl ${login === '' ? '' : `${login} `}-H 'Content-Type: application/json' \\`,
    `  -d ${shellWord(JSON.stringify(body))} \\`,
    `  ${publicBase}/api/1/composes/`,
  ].join('\n');
}

/** The option of curl that tells the service, or the proxy before it, who asks. */
function loginOf(auth: RecipeContext['auth']): string {
  switch (auth) {
    case 'noauth':
      return '';
    case 'kerberos':
    case 'kerberos_or_ssl':
    case 'oidc_or_kerberos':
      return '--negotiate -u :';
    case 'ssl':
      return '--cert user.pem';
    case 'openidc':
      return '-H "Authorization: Bearer $TOKEN"';
    default:
      return auth satisfies never;
  }
}

/** Options of the command, by the member of the body; what has none makes the command take the whole body. */
const options: Readonly<Record<string, string>> = {
  arches: '--arch',
  flags: '--flag',
  lookaside_repos: '--lookaside',
  seconds_to_live: '--seconds-to-live',
  series: '--series',
  label: '--label',
};
const sourceOptions: Readonly<Record<string, string>> = { sigkeys: '--sigkey', builds: '--build' };
const argumentNames = new Set(['type', 'source', 'packages']);

function commandOf({ publicBase }: RecipeContext, body: AskedBody): string {
  const { source, ...rest } = body;
  const { type, source: words, packages } = source;
  const end = ['--wait', '--server', shellWord(publicBase)];
  const isSayable =
    typeof words === 'string' &&
    Object.keys(rest).every((key) => Object.hasOwn(options, key)) &&
    Object.keys(source).every((key) => argumentNames.has(key) || Object.hasOwn(sourceOptions, key));
  if (!isSayable) {
    const whole = ['odcs-reactor compose create --body', shellWord(JSON.stringify(body))];
    return shellLines([whole, end]);
  }
  const said = [...optionsOf(sourceOptions, source), ...optionsOf(options, rest)];
  const names = Array.isArray(packages) ? packages.map((name) => shellWord(String(name))) : [];
  return shellLines([['odcs-reactor compose create', type, shellWord(words), ...names], said, end]);
}

const LINE = 80;

/** Joins the parts of a command: in one line if it is short, else each in a line of its own, which no page breaks. */
function shellLines(parts: readonly (readonly string[])[]): string {
  const lines = parts.filter((words) => words.length > 0).map((words) => words.join(' '));
  const joined = lines.join(' ');
  return joined.length <= LINE ? joined : lines.join(' \\\n  ');
}

function optionsOf(
  names: Readonly<Record<string, string>>,
  values: Readonly<Record<string, unknown>>,
): readonly string[] {
  return Object.entries(names).flatMap(([key, option]) => {
    const value = values[key];
    if (value === undefined) return [];
    const words: readonly unknown[] = Array.isArray(value) ? value : [value];
    return words.map((word) => `${option} ${shellWord(word === '' ? 'none' : String(word))}`);
  });
}

/** A word as a shell takes it. */
function shellWord(text: string): string {
  return /^[\w.,:/@%+=-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}

function ruleOf({ user }: RecipeContext, body: AskedBody): string {
  const { series, ...compose } = body;
  const { type, source } = body.source;
  const words = typeof source === 'string' ? source.split(/\s+/) : [];
  const name = nameOf(typeof series === 'string' ? series : (words[0] ?? type));
  return stringify(
    {
      version: 1,
      name,
      owner: user ?? 'your-group',
      description: `Compose ${[type, ...words].join(' ')} whenever it may have changed.`,
      // Decides and records, composes nothing; `active` composes.
      mode: 'shadow',
      on: triggersOf(type, words),
      settle: '5m',
      max_wait: '2h',
      series: typeof series === 'string' ? series : name,
      compose,
    },
    { lineWidth: 0 },
  ).trimEnd();
}

function nameOf(text: string): string {
  const name = text
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-+|-+$/g, '')
    .slice(0, 60)
    .replace(/-+$/, '');
  return /^[a-z]/.test(name) ? name : `compose-${name}`.replace(/-$/, '');
}

function triggersOf(type: string, words: readonly string[]): readonly object[] {
  const [first = ''] = words;
  const nightly = { schedule: '0 5 * * *' };
  switch (type) {
    case 'tag':
      return words.flatMap((tag) => [
        { event: 'koji.tag', match: { feeds: tag } },
        { event: 'koji.untag', match: { feeds: tag } },
      ]);
    case 'repo':
      return words.map((repo) => ({ event: 'repo.changed', match: { repo } }));
    case 'module': {
      const [name = '', stream = ''] = first.split(':');
      return [{ event: 'mbs.module', match: { state: 'ready', name, stream } }];
    }
    case 'compose':
      return /^\d+$/.test(first)
        ? [nightly]
        : words.map((word) => ({
            event: 'compose.state',
            match: { system: 'odcs', state: 'done', series: word },
          }));
    default:
      return [nightly];
  }
}

import { userInfo } from 'node:os';
import { InvalidArgumentError } from '@commander-js/extra-typings';
import { openServiceDatabase } from '../app/open-service-database.ts';
import { loadConfig } from '../config.ts';
import { insertToken, listTokens, revokeToken } from '../database/api-tokens.ts';
import type { Database } from '../database/database.ts';
import { createLog, type Log } from '../log.ts';
import {
  apiScopes,
  digestOf,
  formatToken,
  newSecret,
  tokenState,
  type ApiScope,
  type ApiToken,
} from '../model/api-token.ts';
import { ReactorError } from '../model/errors.ts';
import { bySettings, collect, defineCommand, type ActionContext } from './command.ts';

const DEFAULT_DAYS = 90;
const MOST_DAYS = 3_650;

interface CreateOptions {
  readonly owner: string;
  readonly scope: readonly string[];
  readonly group?: readonly string[] | undefined;
  readonly days?: string | undefined;
}

const about = { name: 'token', summary: 'Create, list and revoke tokens for the API' };

export const command = defineCommand(about, (parser, context, end) => {
  parser.addHelpText(
    'after',
    '\nThey work on the database of the settings; the embedded one can be opened while no service runs.',
  );
  parser
    .command('create')
    .argument('<name>')
    .description(
      'print a new token, once: only its digest is kept. Its bearer is USER, a member of the GROUPs, for what the SCOPEs say, within what allowed_clients and admins say of them',
    )
    .requiredOption('--owner <user>', 'whom the bearer is taken for')
    .requiredOption('--scope <scope>', `${apiScopes.join(', ')}; more than once`, collect)
    .option('--group <group>', 'a group of the bearer; more than once', collect)
    .option('--days <n>', `days until it expires, ${DEFAULT_DAYS} by default, ${MOST_DAYS} at most`)
    .option(...bySettings)
    .option('--json', 'JSON instead of text')
    .action(async (name, options) => {
      const wanted = wantedToken(name, options);
      const isJson = options.json === true;
      end(await withDatabase(context, options.config, (parts) => create(context, parts, { wanted, isJson })));
    });
  parser
    .command('list')
    .description('print all tokens: whose, for what, until when, when last used')
    .option(...bySettings)
    .option('--json', 'JSON instead of text')
    .action(async ({ config, json }) =>
      end(await withDatabase(context, config, (parts) => list(context, parts, json === true))),
    );
  parser
    .command('revoke')
    .argument('<id>', 'as list prints it', idOf)
    .description('make one worthless from now on')
    .option(...bySettings)
    .option('--json', 'JSON instead of text')
    .action(async (id, { config, json }) => {
      const isJson = json === true;
      end(await withDatabase(context, config, (parts) => revoke(context, parts, { id, isJson })));
    });
});

function idOf(word: string): number {
  if (/^[1-9]\d{0,8}$/.test(word)) return Number(word);
  throw new InvalidArgumentError('It is a number.');
}

interface Parts {
  readonly database: Database;
  readonly log: Log;
}

async function withDatabase(
  context: ActionContext,
  file: string | undefined,
  work: (parts: Parts) => Promise<number>,
): Promise<number> {
  const { config } = loadConfig({
    file: file ?? context.environment['ODCS_REACTOR_CONFIG'],
    environment: context.environment,
  });
  const log = createLog(config.log_level);
  await using database = await openServiceDatabase({
    config: { ...config, database_migrate: 'never' },
    log,
    onNewer: () => undefined,
  });
  return work({ database, log });
}

interface WantedToken {
  readonly name: string;
  readonly owner: string;
  readonly groups: readonly string[];
  readonly scopes: readonly ApiScope[];
  readonly days: number;
}

function wantedToken(name: string, options: CreateOptions): WantedToken {
  const { owner, group: groups = [], scope, days: text = String(DEFAULT_DAYS) } = options;
  for (const word of [name, owner, ...groups]) {
    if (!/^[^\p{Cc}\p{Cs}]{1,200}$/u.test(word) || word.trim() !== word) {
      refuse('The name, the owner and the groups of a token are texts of 1 to 200 letters.');
    }
  }
  const unknown = scope.find((word) => !apiScopes.some((known) => known === word));
  if (unknown !== undefined || scope.length === 0) {
    refuse(
      unknown === undefined ? 'A token needs a scope.' : `There is no scope "${unknown}".`,
      `Scopes are ${apiScopes.join(', ')}.`,
    );
  }
  const days = /^\d{1,5}$/.test(text) ? Number(text) : 0;
  if (days < 1 || days > MOST_DAYS) refuse(`A token lives for 1 to ${MOST_DAYS} days.`);
  return { name, owner, groups, scopes: apiScopes.filter((known) => scope.includes(known)), days };
}

function refuse(message: string, hint?: string): never {
  throw new ReactorError('token.invalid', message, hint === undefined ? {} : { hint });
}

async function create(
  context: ActionContext,
  { database, log }: Parts,
  { wanted, isJson }: { readonly wanted: WantedToken; readonly isJson: boolean },
): Promise<number> {
  const { days, ...fields } = wanted;
  const secret = newSecret();
  const now = database.clock.now();
  const expiresAt = new Date(now.getTime() + days * 86_400_000);
  const made = await insertToken(database.kysely, { ...fields, expiresAt, digest: digestOf(secret), now });
  log.info(auditFields(made), 'an API token was created');
  const token = formatToken(made.id, secret);
  context.stdout(isJson ? `${JSON.stringify({ ...shown(made, now), token })}\n` : `${token}\n`);
  return 0;
}

async function list(context: ActionContext, { database }: Parts, isJson: boolean): Promise<number> {
  const now = database.clock.now();
  const tokens = await listTokens(database.kysely);
  for (const token of tokens) {
    const fields = shown(token, now);
    context.stdout(isJson ? `${JSON.stringify(fields)}\n` : lineOf(fields));
  }
  if (tokens.length === 0 && !isJson) context.stdout('There are no tokens.\n');
  return 0;
}

async function revoke(
  context: ActionContext,
  { database, log }: Parts,
  { id, isJson }: { readonly id: number; readonly isJson: boolean },
): Promise<number> {
  const now = database.clock.now();
  const revoked = await revokeToken(database.kysely, { id, now });
  if (revoked === undefined) {
    throw new ReactorError('token.unknown', `There is no token ${id} that could be revoked.`, {
      hint: 'odcs-reactor token list prints them all.',
    });
  }
  log.info(auditFields(revoked), 'an API token was revoked');
  context.stdout(
    isJson ? `${JSON.stringify(shown(revoked, now))}\n` : `Token ${id} of ${revoked.owner} is revoked.\n`,
  );
  return 0;
}

function shown(token: ApiToken, now: Date) {
  return {
    id: token.id,
    name: token.name,
    state: tokenState(token, now),
    owner: token.owner,
    groups: token.groups,
    scopes: token.scopes,
    created_at: token.createdAt.toISOString(),
    expires_at: token.expiresAt.toISOString(),
    last_used_at: token.lastUsedAt?.toISOString() ?? null,
    revoked_at: token.revokedAt?.toISOString() ?? null,
  };
}

function lineOf(fields: ReturnType<typeof shown>): string {
  const { id, name, state, owner, groups, scopes, expires_at: expires, last_used_at: used } = fields;
  const bearer = groups.length === 0 ? owner : `${owner} of ${groups.join(', ')}`;
  return `${id} ${state} "${name}": ${bearer}, for ${scopes.join(', ')}, until ${expires}, last used ${used ?? 'never'}\n`;
}

/** What the log keeps of a token, with whom the machine knows the person as who ran the command. */
function auditFields({ id, name, owner, groups, scopes, expiresAt }: ApiToken): object {
  return { tokenId: id, name, owner, groups, scopes, expiresAt, by: userInfo().username };
}

import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { ReactorError } from '../../model/errors.ts';
import {
  formatComposeinfo,
  knownComposeType,
  pungiComposeId,
  type ComposeIdentity,
} from '../../rpm/productmd.ts';
import type { DelegateContext, DelegatedCompose } from '../delegate.ts';
import type { Config } from '../main/config-value.ts';
import { formatConfig, joinConfig, releaseOfConfig } from './config-document.ts';
import { endProcessesOfRun } from '../programs/end-processes.ts';
import { pungiCommand, validateCommand } from './pungi-command.ts';
import { readLastLines } from '../programs/read-last-lines.ts';
import { phaseOfLine, readPungiErrors } from './pungi-log.ts';
import { renderWrapper } from './render-wrapper.ts';
import { runSupervised, type RunningProgram, type SupervisedEnd } from '../programs/run-supervised.ts';
import { writeConfiguration } from './write-configuration.ts';

/** The configuration that a compose is made of, and how Pungi is run on it. */
export interface PungiInput {
  readonly files: ReadonlyMap<string, Uint8Array>;
  readonly file: string;
  /** Name of the raw config. */
  readonly name: string;
  /** Path of the wrapper; empty without one. */
  readonly wrapper: string;
  readonly programs: {
    readonly pungi: string;
    /** Empty where nothing checks configurations. */
    readonly validate: string;
    readonly python: string;
  };
  readonly settledArguments: readonly string[];
  readonly schemaOverrides: readonly string[];
  readonly timeoutSeconds: number;
  /** What the programs know of this process. */
  readonly environment: Readonly<Record<string, string>>;
}

const DUMP_LIMIT = 32 << 20;
const GLOBAL_LOG = 'logs/global/pungi.global.log';
const CONFIG_DUMP = 'logs/global/config-dump.global.log';
/** Composes of these types are made again by their own configuration. Source: ODCS contract 17. */
const dumpedTypes = ['production', 'development'];

/**
 * Makes a compose by Pungi in its directory, whose logs people follow meanwhile. Throws `pungi.*`, `main.config_*` and
 * `compose.disk_full`; the directory stays then, for its logs. Source: ODCS contract 16 and 17.
 */
export async function runPungi(input: PungiInput, context: DelegateContext): Promise<DelegatedCompose> {
  const { directory, signal, compose, log } = context;
  context.limitTime(input.timeoutSeconds);
  const left = await endProcessesOfRun(directory);
  if (left > 0) log.warn({ left }, 'processes of an earlier attempt were ended');
  await rm(directory, { recursive: true, force: true });
  await mkdir(directory);
  const work = await mkdtemp(join(tmpdir(), 'odcs-pungi-'));
  let running: RunningProgram | undefined;
  const run = async (words: readonly string[], log: string): Promise<SupervisedEnd> => {
    running = await runSupervised({
      words,
      directory: work,
      environment: input.environment,
      run: directory,
      stdout: join(directory, `${log}-stdout.log`),
      stderr: join(directory, `${log}-stderr.log`),
      signal,
      onLine(line) {
        const phase = phaseOfLine(line);
        if (phase !== undefined) context.progress(`pungi ${phase}`, 0, 1, 'phase');
      },
    });
    return running.end;
  };
  try {
    const config = await readConfig(input, context);
    const configPath = await writeConfiguration(work, input.files, formatConfig(config));
    if (!isTracked(config)) {
      const identity = { ...context.identity, release: releaseOfConfig(config) };
      await writeBase(directory, identity);
      await context.nameCompose(pungiComposeId(identity));
    }
    await validate(input, context, { run, configPath });
    context.progress('pungi', 0, 1, 'step');
    const command = pungiCommand({
      program: input.programs.pungi,
      configPath,
      directory,
      settled: input.settledArguments,
      composeType: compose.composeType,
      label: compose.label,
      flags: compose.request.flags,
      parentIds: compose.request.parentPungiComposeIds ?? [],
      respinOf: compose.respinOf,
      kojiEvent: compose.kojiEvent,
      oldComposes: oldComposesOf(context),
    });
    log.info({ command }, 'pungi begins');
    await checkEnd(context, await run(command, 'pungi'), { program: input.programs.pungi, work });
    return await readMade(context);
  } finally {
    // Whoever cancels does not wait for it, but nothing of it is touched before it is gone.
    const clear = (): Promise<void> => rm(work, { recursive: true, force: true });
    if (running === undefined || !signal.aborted) await clear();
    else void running.gone.then(clear);
  }
}

async function readConfig(
  { files, file, name, wrapper, programs }: PungiInput,
  { json, configDump, signal }: DelegateContext,
): Promise<Config> {
  const template = wrapper === '' ? null : await readWrapper(wrapper);
  const filled =
    template === null ? null : await renderWrapper({ python: programs.python, signal }, template, json);
  return joinConfig({ files, file, prefix: `${name}/`, wrapper: filled, dump: configDump });
}

async function readWrapper(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (cause) {
    throw new ReactorError('pungi.wrapper', 'The wrapper of the configuration cannot be read.', {
      where: path,
      hint: 'Look at raw_config_wrapper in raw_config_urls, and at raw_config_wrapper_conf_path.',
      fate: 'halt',
      cause,
    });
  }
}

/** Whether a compose tracking service names the compose. Source: ODCS contract 16. */
function isTracked(config: Config): boolean {
  return ['cts_url', 'cts_keytab'].every((option) => Boolean(config.get(option)));
}

async function writeBase(directory: string, identity: ComposeIdentity): Promise<void> {
  await mkdir(join(directory, 'work/global'), { recursive: true });
  await writeFile(join(directory, 'work/global/composeinfo-base.json'), formatComposeinfo(identity, []));
  await writeFile(join(directory, 'COMPOSE_ID'), pungiComposeId(identity));
}

/** Throws `pungi.validation_failed`, `pungi.program_missing`. */
async function validate(
  { programs, schemaOverrides }: PungiInput,
  { directory, signal }: DelegateContext,
  {
    run,
    configPath,
  }: {
    readonly run: (words: readonly string[], log: string) => Promise<SupervisedEnd>;
    readonly configPath: string;
  },
): Promise<void> {
  if (programs.validate === '') return;
  const end = await run(validateCommand(programs.validate, configPath, schemaOverrides), VALIDATE_LOG);
  signal.throwIfAborted();
  if (end.kind === 'missing') throw programMissing(programs.validate);
  if (end.code === 0) return;
  const said = await readLastLines(join(directory, `${VALIDATE_LOG}-stdout.log`));
  const complained = await readLastLines(join(directory, `${VALIDATE_LOG}-stderr.log`));
  throw new ReactorError(
    'pungi.validation_failed',
    `The configuration is not valid: ${[said, complained].filter((text) => text !== '').join('\n')}`,
    { hint: `All of it is in ${VALIDATE_LOG}-stdout.log and -stderr.log of the compose.` },
  );
}

const VALIDATE_LOG = 'pungi-config-validate';

/** Throws `pungi.program_missing`, `pungi.failed`, `compose.disk_full`. */
async function checkEnd(
  { directory, json }: DelegateContext,
  end: SupervisedEnd,
  { program, work }: { readonly program: string; readonly work: string },
): Promise<void> {
  if (end.kind === 'missing') throw programMissing(program);
  const status = await readText(join(directory, 'STATUS'));
  if (end.code === 0 && status.trim().startsWith('FINISHED')) return;
  const { errors, isCut } = await readPungiErrors(join(directory, GLOBAL_LOG));
  const told =
    errors.length > 0 ? errors.join('\n') : await readLastLines(join(directory, 'pungi-stderr.log'));
  const said = told.replaceAll(`${work}/`, '');
  const isFull = end.logFault !== null || /No space left on device|Disk quota exceeded/.test(said);
  if (isFull) {
    throw new ReactorError('compose.disk_full', 'The disk was full while Pungi ran.', {
      hint: 'Free space or let composes expire sooner, then ask again.',
      ...(end.logFault === null ? {} : { cause: end.logFault }),
    });
  }
  const how =
    end.code === 0 ? `without a finished compose (STATUS ${status.trim() || 'missing'})` : `with ${end.code}`;
  const logs = json.toplevel_url === '' ? 'its directory' : json.toplevel_url;
  throw new ReactorError('pungi.failed', `Pungi ended ${how}: ${said || 'it said nothing'}`, {
    hint: `${isCut ? 'There are more errors. ' : ''}Its logs are in ${logs}: pungi-stderr.log and ${GLOBAL_LOG}.`,
  });
}

function programMissing(program: string): ReactorError {
  return new ReactorError(
    'pungi.program_missing',
    `There is no program ${program} where composes are made.`,
    {
      hint: 'Install Pungi there, or name it by pungi_koji and pungi_config_validate; engine: native needs none.',
      fate: 'halt',
    },
  );
}

const baseSchema = z.object({ payload: z.object({ compose: z.object({ id: z.string() }) }) });
const deliverablesSchema = z.object({
  failed: z.record(z.string(), z.record(z.string(), z.array(z.string()))).catch({}),
});

/** Reads what Pungi made. Throws `pungi.dump_missing`, `pungi.failed`. */
async function readMade({ directory, compose }: DelegateContext): Promise<DelegatedCompose> {
  const base = await readJson(join(directory, 'work/global/composeinfo-base.json'), baseSchema);
  if (base === null) {
    throw new ReactorError('pungi.failed', 'Pungi ended without an id of the compose.', {
      hint: 'Its work/global/composeinfo-base.json is missing or no composeinfo.',
    });
  }
  const isDumped = dumpedTypes.includes(compose.composeType);
  const configDump = isDumped ? await readDump(join(directory, CONFIG_DUMP)) : null;
  const deliverables = await readJson(join(directory, 'logs/global/deliverables.json'), deliverablesSchema);
  return {
    pungiComposeId: base.payload.compose.id,
    configDump,
    warnings: Object.entries(deliverables?.failed ?? {}).map(([variant, byArch]) => {
      const parts = Object.entries(byArch).map(([arch, names]) => `${names.join(', ')} for ${arch}`);
      return `Pungi could not make everything of ${variant}: ${parts.join('; ')}.`;
    }),
  };
}

async function readDump(path: string): Promise<string> {
  const found = await stat(path).catch(() => null);
  if (found?.isFile() === true && found.size <= DUMP_LIMIT) return readFile(path, 'utf8');
  throw new ReactorError('pungi.dump_missing', 'Pungi left no dump of its configuration.', {
    hint: `A production or development compose is made again by it; ${CONFIG_DUMP} is missing, or larger than 32 MiB.`,
  });
}

async function readJson<T>(path: string, schema: z.ZodType<T>): Promise<T | null> {
  const text = await readText(path);
  try {
    return schema.safeParse(JSON.parse(text)).data ?? null;
  } catch {
    return null;
  }
}

async function readText(path: string): Promise<string> {
  return readFile(path, 'utf8').catch(() => '');
}

/** Where composes of the same type are linked; Pungi takes repodata of the newest that fits. */
function oldComposesOf({ targetDir, compose }: DelegateContext): string | null {
  const directory = join(targetDir, knownComposeType(compose.composeType));
  return existsSync(directory) ? directory : null;
}

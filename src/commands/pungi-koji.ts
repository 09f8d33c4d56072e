import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { SourcedDefinition } from '../composer/main-inputs/select-definition.ts';
import { textsOf } from '../composer/main/config-value.ts';
import { settingsOf, type MainDefinition } from '../composer/main/main-definition.ts';
import { latestLinkOf } from '../composer/main/main-identity.ts';
import { isComposeType } from '../rpm/productmd.ts';
import { readDefinition, readProducts } from '../composer/main/read-definition.ts';
import type { Selection } from '../composer/selection.ts';
import { ReactorError } from '../model/errors.ts';
import { readVersion } from '../app/read-version.ts';
import type { Command, CommandContext } from './command.ts';
import { linkTypeOf } from './pungi-koji/link-packages.ts';
import { notify, statusNotice } from './pungi-koji/notify.ts';
import { failureLines, repoclosureFailure } from './pungi-koji/failure-lines.ts';
import { BUILDING, makePungiCompose } from './pungi-koji/make-compose.ts';
import { parsePungiOptions, type PungiOptions } from './pungi-koji/pungi-options.ts';
import { dumpConfig, readPungiConfig, type PungiConfig } from './pungi-koji/read-pungi-config.ts';
import {
  addToLog,
  checkPlace,
  linkLatestOf,
  moveBuilt,
  openRunDirectory,
  writeStatus,
  type RunDirectory,
} from './pungi-koji/run-directory.ts';

const help = `Usage: odcs-reactor pungi-koji --config FILE (--target-dir DIRECTORY | --compose-dir DIRECTORY) [options]

Makes a main compose of a configuration of Pungi as pungi-koji does, without a service: the same options,
exit codes, texts, tree and links. Koji is read by the profile that the configuration names (~/.koji,
/etc/koji.conf, ODCS_KOJI_CONFIG). What is not made here is refused before anything is written.

Options:
  --test, --nightly, --ci, --development, --production
                               the type of the compose; that of the configuration otherwise
  --label LABEL, --no-label    RC-1.0 and the like; production composes need one of both
  --supported                  a compose with a label is final
  --koji-event EVENT           compose as of this event
  --skip-phase PHASE, --just-phase PHASE
  --latest-link-components N   parts of the version in the name of the link to the latest compose
  --latest-link-status STATUS  move that link for this status only
  --no-latest-link
  --parent-compose-id ID, --respin-of ID
                               composes that composeinfo.json names; the first may be repeated
  --notification-script FILE   is run with a message (status-change, fail-to-start), JSON on its standard input;
                               may be repeated
  --quiet                      print errors only
  --version
  --old-composes DIRECTORY, --debug-mode    taken, and not needed here
`;

export const command: Command = {
  summary: 'Make a main compose of a Pungi configuration, as pungi-koji does, without a service',
  parser: null,
  async run(context) {
    if (context.argv.includes('--help') || context.argv.includes('-h')) {
      context.stdout(help);
      return 0;
    }
    try {
      return await runUnlessRefused(context, parsePungiOptions(context.argv));
    } catch (error) {
      if (!(error instanceof ReactorError)) throw error;
      return tellRefusal(context, error);
    }
  },
};

/** Runs the command; scripts are told of what keeps it from starting. */
async function runUnlessRefused(context: CommandContext, options: PungiOptions): Promise<number> {
  try {
    return await run(context, options);
  } catch (error) {
    if (!(error instanceof ReactorError)) throw error;
    const { place, config } = options;
    const target = 'targetDir' in place ? place.targetDir : place.composeDir;
    await notify(options.notificationScripts, {
      message: 'fail-to-start',
      data: { detail: error.message, command_line: context.argv, target_dir: target, config },
      directory: process.cwd(),
    });
    throw error;
  }
}

/** Prints why nothing was begun, in the words of pungi-koji; returns its exit code. */
function tellRefusal(context: CommandContext, error: ReactorError): number {
  const { code, message } = error;
  if (code === 'pungi.usage' || code === 'main.label_invalid' || code === 'main.label_missing') {
    context.stderr(`pungi-koji: error: ${message}\n`);
    return 2;
  }
  context.stderr(`${code === 'pungi.phases' ? logLine('ERROR', message) : message}\n`);
  return 1;
}

type Level = 'INFO' | 'WARNING' | 'ERROR' | 'CRITICAL';

function logLine(level: Level, text: string): string {
  const now = new Date(Date.now() - new Date().getTimezoneOffset() * 60_000);
  return `${now.toISOString().slice(0, 19).replace('T', ' ')} [${level.padEnd(8)}] ${text}`;
}

/** Writes into the log of a compose and prints what was not asked to be kept quiet. */
type Tell = (level: Level, text: string) => void;

async function run(context: CommandContext, options: PungiOptions): Promise<number> {
  if (options.isVersionAsked) {
    context.stdout(`${readVersion()}\n`);
    return 0;
  }
  checkPlace(options.place);
  const config = await readPungiConfig(options, context.signal);
  const { loaded, files } = config;
  const products = readProducts(loaded.config);
  const configured = loaded.config.get('compose_type');
  const now = new Date();
  const directory = openRunDirectory(products, options.place, {
    date: logLine('INFO', '').slice(0, 10).replaceAll('-', ''),
    type:
      options.type ??
      (typeof configured === 'string' && isComposeType(configured) ? configured : 'production'),
    label: options.label,
    mayLackLabel: options.mayLackLabel,
    isSupported: options.isSupported,
    timestamp: Math.floor(now.getTime() / 1000),
  });
  const tell: Tell = (level, text) => {
    const line = logLine(level, text);
    addToLog(directory, line);
    if (!options.isQuiet || level === 'ERROR' || level === 'CRITICAL') context.stderr(`${line}\n`);
  };
  const tellStatus = async (status: string): Promise<void> => {
    if (options.notificationScripts.length === 0) return;
    const notice = statusNotice(directory, loaded.config, status);
    for (const script of await notify(options.notificationScripts, notice)) {
      tell('WARNING', `Failed to invoke notification script. (${script})`);
    }
  };
  tell('INFO', `Compose started: ${directory.path}`);
  await tellStatus('STARTED');
  for (const remark of config.remarks) tell('INFO', remark);
  for (const path of loaded.files) {
    writeLog(directory, `config-copy/${path}`, files.read(path) ?? '');
  }
  writeLog(directory, 'config-dump.global.log', dumpConfig(config.written));
  writeLog(directory, 'deliverables.json', '{"attempted": {}, "failed": {}, "required": {}}\n');
  try {
    await compose(context, options, { config, directory, tell });
    await tellStatus('FINISHED');
    return 0;
  } catch (error) {
    rmSync(join(directory.path, BUILDING), { recursive: true, force: true });
    if (context.signal.aborted) {
      writeStatus(directory, 'TERMINATED');
      tell('ERROR', `Compose run terminated: ${directory.path}`);
      await tellStatus('TERMINATED');
      return 1;
    }
    for (const line of failureLines(error, textsOf(loaded.config.get('sigkeys')))) tell('ERROR', line);
    tell('CRITICAL', `Compose failed: ${directory.path}`);
    writeStatus(directory, 'DOOMED');
    await tellStatus('DOOMED');
    return 1;
  }
}

function writeLog({ path }: RunDirectory, name: string, content: string | Uint8Array): void {
  const place = join(path, 'logs/global', name);
  mkdirSync(dirname(place), { recursive: true });
  writeFileSync(place, content);
}

async function compose(
  context: CommandContext,
  options: PungiOptions,
  run: { readonly config: PungiConfig; readonly directory: RunDirectory; readonly tell: Tell },
): Promise<void> {
  const { config, directory, tell } = run;
  const { files, loaded, isSkipped } = config;
  const work = join(directory.path, 'work/global');
  const definition = readDefinition(files, loaded, {
    variants: `${work}/variants.xml`,
    comps: `${work}/comps-global.xml`,
  });
  const sourced: SourcedDefinition = {
    source: directory.identity.id,
    definition: asFarAsAsked(definition, isSkipped),
    files,
    warnings: [],
    digest: null,
  };
  const { kojiEvent, isSupported, parentIds, respinOf } = options;
  const linkType = linkTypeOf(loaded.config);
  const selection = await makePungiCompose(context, {
    sourced,
    directory,
    linkType,
    isSkipped,
    kojiEvent,
    isSupported,
    parentIds,
    respinOf,
  });
  for (const warning of selection.warnings) tell('WARNING', warning);
  moveBuilt(join(directory.path, BUILDING), directory);
  checkClosures(definition, selection, run);
  writeStatus(directory, 'FINISHED');
  if (options.latestLink !== null) {
    const link = latestLinkOf(definition, 'FINISHED', options.latestLink);
    for (const warning of link.warnings) tell('WARNING', warning);
    if (link.name !== null) linkLatestOf(directory, link.name);
  }
  tell('INFO', `Compose finished: ${directory.path}`);
}

/** The definition without what skipped phases make; closures are judged once the trees are there. */
function asFarAsAsked(definition: MainDefinition, isSkipped: (phase: string) => boolean): MainDefinition {
  const settings = new Map(
    Array.from(definition.settings, ([uid, byArch]) => [
      uid,
      new Map(
        Array.from(byArch, ([arch, inputs]) => [
          arch,
          inputs.repoclosure === 'fatal' ? { ...inputs, repoclosure: 'lenient' as const } : inputs,
        ]),
      ),
    ]),
  );
  const beside = isSkipped('extra_files') ? { ...definition.beside, extraFiles: null } : definition.beside;
  return { ...definition, settings, beside };
}

/** Writes what repoclosures found to the log. Throws `main.repoclosure` where one is fatal. Source: main compose contract 10. */
function checkClosures(
  definition: MainDefinition,
  selection: Selection,
  { directory, tell }: { readonly directory: RunDirectory; readonly tell: Tell },
): void {
  for (const check of selection.repoclosures.filter(({ unresolved }) => unresolved.length > 0)) {
    const { variant, arch } = check;
    const failure = repoclosureFailure(directory, selection, check);
    if (settingsOf(definition, variant, arch).repoclosure === 'fatal') {
      throw new ReactorError('main.repoclosure', failure);
    }
    tell('WARNING', `Repoclosure failed for ${variant}.${arch}\n${failure}`);
  }
}

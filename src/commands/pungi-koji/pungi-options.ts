import { parseArgs } from 'node:util';
import { ReactorError } from '../../model/errors.ts';
import { checkLabel } from '../../composer/main/main-identity.ts';
import { isComposeType, type ComposeType } from '../../rpm/productmd.ts';

const text = { type: 'string' } as const;
const texts = { type: 'string', multiple: true } as const;
const flag = { type: 'boolean' } as const;

const options = {
  config: text,
  'target-dir': text,
  'compose-dir': text,
  label: text,
  'no-label': flag,
  supported: flag,
  production: flag,
  nightly: flag,
  development: flag,
  ci: flag,
  test: flag,
  'koji-event': text,
  'skip-phase': texts,
  'just-phase': texts,
  'parent-compose-id': texts,
  'respin-of': text,
  'notification-script': texts,
  'latest-link-components': text,
  'latest-link-status': texts,
  'no-latest-link': flag,
  'old-composes': texts,
  'debug-mode': flag,
  quiet: flag,
  version: flag,
} as const;

/** What the command line asks for. */
export interface PungiOptions {
  readonly config: string;
  /** Where a directory is made for the compose, or the directory that it is made in. */
  readonly place: { readonly targetDir: string } | { readonly composeDir: string };
  readonly label: string | null;
  readonly mayLackLabel: boolean;
  readonly isSupported: boolean;
  /** Null for that of the configuration. */
  readonly type: ComposeType | null;
  readonly kojiEvent: number | null;
  readonly skippedPhases: readonly string[];
  /** Nothing but these, unless it is empty. */
  readonly justPhases: readonly string[];
  readonly latestLink: { readonly components: number; readonly statuses: readonly string[] } | null;
  /** Ids of the composes that it is made from. */
  readonly parentIds: readonly string[];
  readonly respinOf: string | null;
  /** Programs that are told how the compose gets on. */
  readonly notificationScripts: readonly string[];
  readonly isQuiet: boolean;
  readonly isVersionAsked: boolean;
}

function refuse(message: string): never {
  throw new ReactorError('pungi.usage', message, {
    hint: 'odcs-reactor pungi-koji --help tells the options.',
  });
}

/** Reads the command line as `pungi-koji` does. Throws `pungi.usage`, `main.label_invalid`. Source: main compose contract 9. */
export function parsePungiOptions(argv: readonly string[]): PungiOptions {
  const values = parse(argv);
  const { 'target-dir': targetDir, 'compose-dir': composeDir } = values;
  const isVersionAsked = values.version === true;
  if (targetDir !== undefined && composeDir !== undefined) {
    refuse('argument --compose-dir: not allowed with argument --target-dir');
  }
  if (targetDir === undefined && composeDir === undefined && !isVersionAsked) {
    refuse('one of the arguments --target-dir --compose-dir is required');
  }
  if (values.config === undefined && !isVersionAsked) refuse('please specify a config');
  const label = values.label ?? null;
  if (label !== null) checkLabel(label);
  if (label !== null && values['no-label'] === true) {
    refuse('argument --no-label: not allowed with argument --label');
  }
  const [type = null, second] = Object.keys(values).filter(isComposeType);
  if (second !== undefined) refuse(`argument --${second}: not allowed with argument --${String(type)}`);
  return {
    config: values.config ?? '',
    place: composeDir === undefined ? { targetDir: targetDir ?? '' } : { composeDir },
    label,
    mayLackLabel: values['no-label'] === true,
    isSupported: values.supported === true,
    type,
    kojiEvent: wholeNumber('koji-event', values['koji-event'] ?? null),
    skippedPhases: values['skip-phase'] ?? [],
    justPhases: values['just-phase'] ?? [],
    latestLink:
      values['no-latest-link'] === true
        ? null
        : {
            components: wholeNumber('latest-link-components', values['latest-link-components'] ?? null) ?? -1,
            statuses: values['latest-link-status'] ?? [],
          },
    parentIds: values['parent-compose-id'] ?? [],
    respinOf: values['respin-of'] ?? null,
    notificationScripts: values['notification-script'] ?? [],
    isQuiet: values.quiet === true,
    isVersionAsked,
  };
}

function wholeNumber(option: string, value: string | null): number | null {
  if (value === null) return null;
  if (!/^-?\d{1,9}$/.test(value)) refuse(`argument --${option}: invalid int value: '${value}'`);
  return Number(value);
}

function parse(argv: readonly string[]) {
  const args: string[] = [];
  for (let at = 0; at < argv.length; at += 1) {
    const word = argv[at] ?? '';
    const next = argv[at + 1];
    // A value may begin with a dash: -1.
    if (next !== undefined && takesValue(word)) {
      args.push(`${word}=${next}`);
      at += 1;
    } else args.push(word);
  }
  try {
    return parseArgs({ args, options, allowPositionals: false }).values;
  } catch (error) {
    return refuse(error instanceof Error ? error.message : String(error));
  }
}

function takesValue(word: string): boolean {
  const known: Readonly<Record<string, { readonly type: string }>> = options;
  const name = word.slice(2);
  return word.startsWith('--') && Object.hasOwn(known, name) && known[name]?.type === 'string';
}

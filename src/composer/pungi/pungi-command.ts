import type { ComposeFlag } from '../../model/compose.ts';

/** The ways Pungi is told the type of a compose. Source: ODCS contract 16. */
const typeArguments: Readonly<Record<string, string>> = {
  test: '--test',
  ci: '--ci',
  nightly: '--nightly',
  production: '--production',
  development: '--development',
};

/** What Pungi is started with. */
export interface PungiOptions {
  readonly program: string;
  readonly configPath: string;
  readonly directory: string;
  /** As the settings say. */
  readonly settled: readonly string[];
  readonly composeType: string;
  readonly label: string | null;
  readonly flags: readonly ComposeFlag[];
  readonly parentIds: readonly string[];
  readonly respinOf: string | null;
  readonly kojiEvent: number | null;
  /** Directory of composes that it may take repodata from; null where there is none. */
  readonly oldComposes: string | null;
}

/** Returns the command that makes a compose. Source: ODCS contract 16. */
export function pungiCommand(options: PungiOptions): string[] {
  const { settled, composeType, label, kojiEvent } = options;
  const type = Object.hasOwn(typeArguments, composeType) ? typeArguments[composeType] : undefined;
  const isTypeSettled = settled.some((word) => Object.values(typeArguments).includes(word));
  const isWithoutLabel = label === null && options.flags.includes('no_label');
  return [
    options.program,
    `--config=${options.configPath}`,
    '--no-latest-link',
    `--compose-dir=${options.directory}`,
    ...settled,
    ...(isTypeSettled ? [] : [type ?? '--test']),
    ...(label === null ? [] : [`--label=${label}`]),
    ...(isWithoutLabel && !settled.includes('--no-label') ? ['--no-label'] : []),
    ...options.parentIds.map((id) => `--parent-compose-id=${id}`),
    ...(options.respinOf === null ? [] : [`--respin-of=${options.respinOf}`]),
    ...(kojiEvent === null ? [] : [`--koji-event=${kojiEvent}`]),
    ...(options.oldComposes === null ? [] : [`--old-composes=${options.oldComposes}`]),
  ];
}

/** Returns the command that checks a configuration. Source: ODCS contract 17. */
export function validateCommand(
  program: string,
  configPath: string,
  schemaOverrides: readonly string[],
): string[] {
  const overrides = schemaOverrides.filter((path) => path !== '');
  return [program, '--old-composes', ...overrides.map((path) => `--schema-override=${path}`), configPath];
}

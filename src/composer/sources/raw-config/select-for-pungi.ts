import { randomUUID } from 'node:crypto';
import type { Config as Settings } from '../../../config.ts';
import type { ComposeRequest } from '../../../model/compose.ts';
import { settings as settingsTable } from '../../../settings.ts';
import type { Delegate } from '../../delegate.ts';
import { resolveEvent } from '../../koji/pin.ts';
import type { Koji } from '../../koji/koji.ts';
import { releaseOfConfig } from '../../pungi/config-document.ts';
import { runPungi, type PungiInput } from '../../pungi/run-pungi.ts';
import type { Slots } from '../../pungi/slots.ts';
import { newSelection, type SelectContext, type Selected } from '../../selection.ts';
import type { FoundConfiguration } from './read-configuration.ts';

export interface PungiResources {
  readonly config: Settings;
  readonly koji: Koji | null;
  /** Of this process. */
  readonly pungiSlots: Slots;
}

const REMARK = 'Pungi makes this compose: what it will hold is known once it is made.';

/**
 * Leaves a compose to Pungi. It reads Koji at the event of the request, else the last one. Nothing says beforehand what
 * it will hold, so that it is never reused and never unchanged. Source: ODCS contract 12 and 17.
 */
export async function selectForPungi(
  resources: PungiResources,
  { signal }: SelectContext,
  request: ComposeRequest,
  found: FoundConfiguration,
): Promise<Selected & { readonly delegate: Delegate }> {
  const { place, source, loaded } = found;
  const isOfKoji = loaded.config.get('pkgset_source') === 'koji';
  const event =
    resources.koji === null || !isOfKoji
      ? request.kojiEvent
      : (await resolveEvent(resources.koji.hub, request.kojiEvent, { signal })).id;
  const input = inputOf(resources.config, found);
  return {
    selection: {
      ...newSelection({ pins: { source, kojiEvent: event }, trees: [], remarks: [REMARK] }),
      release: releaseOfConfig(loaded.config),
      variants: [],
    },
    reader: { loadFragments: () => Promise.resolve([]) },
    delegate: {
      options: { engine: 'pungi', raw_config: `${place.name} ${source}`, making: randomUUID() },
      async make(context) {
        if (resources.pungiSlots.isFull) context.progress('wait for pungi', 0, 1, 'step');
        const giveBack = await resources.pungiSlots.take(context.signal);
        try {
          return await runPungi(input, context);
        } finally {
          giveBack();
        }
      },
    },
  };
}

function inputOf(config: Settings, { place, files }: FoundConfiguration): PungiInput {
  const { name, entry } = place;
  const timeout = Number(entry['pungi_timeout'] ?? config.pungi_timeout);
  return {
    files,
    file: place.file,
    name,
    wrapper: wrapperOf(config, entry),
    programs: {
      pungi: config.pungi_koji,
      validate: config.pungi_config_validate,
      python: config.pungi_python,
    },
    settledArguments: config.raw_config_pungi_koji_args[name] ?? config.pungi_koji_args,
    schemaOverrides: [config.raw_config_schema_override, String(entry['schema_override'] ?? '')],
    timeoutSeconds: timeout,
    environment: environmentOf(process.env),
  };
}

/** Returns the path of the wrapper of a raw config, empty where it has none; an empty one in its entry means none. */
export function wrapperOf(
  { raw_config_wrapper_conf_path: path }: Pick<Settings, 'raw_config_wrapper_conf_path'>,
  entry: Readonly<Record<string, unknown>>,
): string {
  return String(entry['raw_config_wrapper'] ?? path);
}

/** What Pungi knows of this process: its tickets and paths, but none of the service's settings, some of which are secret. */
function environmentOf(environment: NodeJS.ProcessEnv): Record<string, string> {
  const own = new Set<string>(Object.values(settingsTable).map(({ env }) => env));
  return Object.fromEntries(
    Object.entries(environment).flatMap(([name, value]) =>
      value === undefined || own.has(name) ? [] : [[name, value] as const],
    ),
  );
}

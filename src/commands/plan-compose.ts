import { systemClock } from '../clock.ts';
import { openSources } from '../composer/open-sources.ts';
import { planContext } from '../composer/composer-context.ts';
import { planCompose, type ReadyPlan } from '../composer/plan.ts';
import { loadConfig } from '../config.ts';
import { createLog } from '../log.ts';
import { parseComposeRequest, requestDefaults } from '../model/compose-request.ts';
import { TEMPORARY } from '../model/compose.ts';
import { seriesOfBody } from '../model/request-series.ts';
import type { ActionContext } from './command.ts';

/** Plans a request here and now, without a service, by the settings of the environment. Throws what checking and planning throw. */
export async function planRequest(context: ActionContext, body: unknown): Promise<ReadyPlan> {
  const { config } = loadConfig({
    file: context.environment['ODCS_REACTOR_CONFIG'],
    environment: context.environment,
    overrides: {},
  });
  const log = createLog('warn');
  using opened = await openSources(config, { clock: systemClock, log, database: null });
  const request = parseComposeRequest(body, requestDefaults(config));
  return planCompose(
    planContext(
      opened,
      { series: seriesOfBody(body), targetDir: request.targetDir },
      { log, signal: context.signal, progress: () => undefined },
    ),
    request,
  );
}

/**
 * Plans a request here and now, without a service, by the settings of the environment, and prints what the compose
 * would hold; with `isWhy` the reason of every package. Throws what checking and planning throw.
 */
export async function planLocally(
  context: ActionContext,
  body: unknown,
  { isJson, isWhy }: { readonly isJson: boolean; readonly isWhy: boolean },
): Promise<void> {
  const start = performance.now();
  const plan = await planRequest(context, body);
  const { trees, unresolved } = plan.selection;
  const warnings = [...plan.selection.warnings, ...plan.selection.remarks];
  const packages = trees.flatMap((tree) =>
    (['binary', 'debug', 'source'] as const).flatMap((kind) =>
      tree[kind].map((selected) => ({
        ...(tree.variant === TEMPORARY ? {} : { variant: tree.variant }),
        arch: tree.arch,
        kind,
        file: selected.package.fileName,
        // The reasons of a whole tag take longer than its plan.
        why: isWhy || isJson ? selected.why : '',
      })),
    ),
  );
  const seconds = Number(((performance.now() - start) / 1000).toFixed(2));
  const peakMegabytes = Math.round(process.resourceUsage().maxRSS / 1024);
  if (isJson) {
    const summary = { fingerprint: plan.fingerprint, packages, unresolved, warnings, seconds, peakMegabytes };
    context.stdout(`${JSON.stringify(summary)}\n`);
    return;
  }
  for (const { variant, arch, kind, file, why } of packages) {
    const tree = variant === undefined ? arch : `${variant}.${arch}`;
    context.stdout(`${tree}  ${kind.padEnd(6)}  ${file}${isWhy ? `  (${why})` : ''}\n`);
  }
  for (const broken of unresolved) {
    context.stdout(
      `unresolved: ${broken.package} on ${broken.arch} needs ${broken.dependencies.join(', ')}\n`,
    );
  }
  for (const warning of warnings) context.stdout(`warning: ${warning}\n`);
  context.stdout(
    `fingerprint ${plan.fingerprint}, ${packages.length} packages, ${seconds} s, ${peakMegabytes} MB\n`,
  );
}

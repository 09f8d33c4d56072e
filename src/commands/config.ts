import { formatList, loadConfig } from '../config.ts';
import { maskSecrets } from '../model/mask-secrets.ts';
import { settings, type SettingName } from '../settings.ts';
import { bySettings, defineCommand, type ActionContext } from './command.ts';

interface PrintOptions {
  readonly config?: string | undefined;
  readonly all?: true | undefined;
  readonly json?: true | undefined;
}

const about = { name: 'config', summary: 'Print the effective settings' };

export const command = defineCommand(about, (parser, context) => {
  parser
    .command('print')
    .description('print the effective settings, each with where it comes from; secrets are hidden')
    .option(...bySettings)
    .option('--all', 'also those that have their defaults')
    .option('--json', 'JSON instead of text')
    .action((options) => print(context, options));
});

function print(context: ActionContext, options: PrintOptions): void {
  const file = options.config ?? context.environment['ODCS_REACTOR_CONFIG'];
  const { config, sources } = loadConfig({ file, environment: context.environment });
  const rows = (Object.keys(settings) as SettingName[])
    .filter((name) => options.all === true || sources[name] !== 'default')
    .map((name) => {
      const { doc, env, isSecret } = settings[name];
      const isHidden = isSecret === true && config[name] !== '';
      return {
        name,
        value: isHidden ? '[hidden]' : maskSecrets(config[name]),
        source: sources[name],
        env,
        doc,
      };
    });
  if (options.json === true) {
    context.stdout(`${JSON.stringify(rows)}\n`);
    return;
  }
  for (const { name, value, source, env, doc } of rows) {
    const shown = isTextList(value) ? formatList(name, value) : JSON.stringify(value);
    context.stdout(`${name}: ${shown}\n    from ${source}; ${env}\n    ${doc}\n`);
  }
  if (rows.length === 0) context.stdout('Every setting has its default; --all prints them.\n');
}

function isTextList(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((member) => typeof member === 'string');
}

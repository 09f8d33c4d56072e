import { parseArgs } from 'node:util';
import { formatList, loadConfig } from '../config.ts';
import { maskSecrets } from '../model/mask-secrets.ts';
import { settings, type SettingName } from '../settings.ts';
import type { Command } from './command.ts';

const help = `Usage: odcs-reactor config print [--config FILE] [--all] [--json]

Prints the effective settings, each with where it comes from. Without --all only those that
differ from the default. Secrets are hidden.
`;

export const command: Command = {
  summary: 'Print the effective settings',
  help,
  async run(context) {
    const { values } = parseArgs({
      args: [...context.argv],
      allowPositionals: true,
      options: { config: { type: 'string' }, all: { type: 'boolean' }, json: { type: 'boolean' } },
    });
    const file = values.config ?? context.environment['ODCS_REACTOR_CONFIG'];
    const { config, sources } = loadConfig({ file, environment: context.environment });
    const rows = (Object.keys(settings) as SettingName[])
      .filter((name) => values.all === true || sources[name] !== 'default')
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
    if (values.json === true) {
      context.stdout(`${JSON.stringify(rows)}\n`);
      return 0;
    }
    for (const { name, value, source, env, doc } of rows) {
      const shown = isTextList(value) ? formatList(name, value) : JSON.stringify(value);
      context.stdout(`${name}: ${shown}\n    from ${source}; ${env}\n    ${doc}\n`);
    }
    if (rows.length === 0) context.stdout('Every setting has its default; --all prints them.\n');
    return 0;
  },
};

function isTextList(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((member) => typeof member === 'string');
}

import { Argument } from '@commander-js/extra-typings';
import { defineCommand } from './command.ts';
import { formatCompletion, shells, type CompletedCommand } from './format-completion.ts';

const about = { name: 'completion', summary: 'Print what completes commands and options in a shell' };

export const command = defineCommand(about, (parser, context) => {
  parser
    .addArgument(new Argument('<shell>').choices(shells))
    .addHelpText(
      'after',
      `
bash  source <(odcs-reactor completion bash)
zsh   odcs-reactor completion zsh > "\${fpath[1]}/_odcs-reactor"
fish  odcs-reactor completion fish > ~/.config/fish/completions/odcs-reactor.fish`,
    )
    .action(async (shell) => context.stdout(formatCompletion(shell, await listCommands())));
});

/** Returns every command with its verbs and options, as their parsers have them. */
async function listCommands(): Promise<readonly CompletedCommand[]> {
  const { commands } = await import('./command-table.ts');
  return Promise.all(
    Object.entries(commands).map(async ([name, { summary, load }]) => {
      const parser = (await load()).command.parser?.();
      const optionsOf = (options: readonly { readonly long?: string; readonly hidden: boolean }[]) =>
        options.flatMap(({ long, hidden }) => (long === undefined || hidden ? [] : [long]));
      return {
        name,
        summary,
        options: [...optionsOf(parser?.options ?? []), '--help'],
        verbs: (parser?.createHelp().visibleCommands(parser) ?? [])
          .filter((verb) => verb.name() !== 'help')
          .map((verb) => ({
            name: verb.name(),
            summary: verb.description(),
            options: [...optionsOf(verb.options), '--help'],
          })),
      };
    }),
  );
}

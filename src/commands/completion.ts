import { Argument } from '@commander-js/extra-typings';
import { defineCommand, type Command } from './command.ts';
import { formatCompletion, shells } from './format-completion.ts';
import { offerWords } from './offer-words.ts';
import { valuesOnDisk } from './values-on-disk.ts';

const about = {
  name: 'completion',
  summary: 'Print what completes commands, options and their values in a shell',
};

const printing = defineCommand(about, (parser, context) => {
  parser
    .addArgument(new Argument('<shell>').choices(shells))
    .addHelpText(
      'after',
      `
bash  source <(odcs-reactor completion bash)
zsh   odcs-reactor completion zsh > "\${fpath[1]}/_odcs-reactor"
fish  odcs-reactor completion fish > ~/.config/fish/completions/odcs-reactor.fish`,
    )
    .action((shell) => context.stdout(formatCompletion(shell)));
});

export const command: Command = {
  ...printing,
  async run(context) {
    // What the scripts ask: words of any command, so that no parser may take them for its own.
    if (context.argv[0] !== 'offer') return printing.run(context);
    const { commands } = await import('./command-table.ts');
    const valuesOf = (name: string) => valuesOnDisk(context.environment, name);
    for (const { word, summary } of await offerWords({ commands, valuesOf }, context.argv.slice(2))) {
      context.stdout(`${word}\t${summary.replaceAll(/\s+/g, ' ')}\n`);
    }
    return 0;
  },
};

/** A verb of a command, or a command that has none. */
export interface CompletedVerb {
  readonly name: string;
  readonly summary: string;
  /** `--json` and the like. */
  readonly options: readonly string[];
}

export interface CompletedCommand extends CompletedVerb {
  readonly verbs: readonly CompletedVerb[];
}

export const shells = ['bash', 'zsh', 'fish'] as const;
export type Shell = (typeof shells)[number];

/** Returns the script that completes commands, verbs and options in a shell; files otherwise. */
export function formatCompletion(shell: Shell, commands: readonly CompletedCommand[]): string {
  switch (shell) {
    case 'bash':
      return formatBash(commands);
    case 'zsh':
      return formatZsh(commands);
    case 'fish':
      return formatFish(commands);
    default:
      return shell satisfies never;
  }
}

/** What may follow a command, and a verb: words by `compose` and `compose show`. */
function wordsByPlace(
  commands: readonly CompletedCommand[],
): readonly (readonly [string, readonly string[]])[] {
  return commands.flatMap(({ name, options, verbs }) => [
    [name, [...verbs.map((verb) => verb.name), ...options]] as const,
    ...verbs.map((verb) => [`${name} ${verb.name}`, verb.options] as const),
  ]);
}

function formatBash(commands: readonly CompletedCommand[]): string {
  const cases = wordsByPlace(commands).map(
    ([place, words]) => `    "${place}") words="${words.join(' ')}" ;;`,
  );
  return `_odcs_reactor() {
  local current="\${COMP_WORDS[COMP_CWORD]}" place="" words=""
  [ "$COMP_CWORD" -gt 1 ] && place="\${COMP_WORDS[1]}"
  case "\${COMP_WORDS[2]:-}" in -*|"") ;; *) [ "$COMP_CWORD" -gt 2 ] && place="$place \${COMP_WORDS[2]}" ;; esac
  case "$place" in
    "") words="${commands.map(({ name }) => name).join(' ')} --help --version" ;;
${cases.join('\n')}
    *) words="" ;;
  esac
  if [ -z "$words" ]; then
    place="\${place%% *}"
    case "$place" in
${cases.map((line) => `  ${line}`).join('\n')}
    esac
  fi
  COMPREPLY=($(compgen -W "$words" -- "$current"))
}
complete -o default -F _odcs_reactor odcs-reactor
`;
}

function formatZsh(commands: readonly CompletedCommand[]): string {
  const cases = wordsByPlace(commands).map(
    ([place, words]) => `    "${place}") list=(${words.join(' ')}) ;;`,
  );
  return `#compdef odcs-reactor
_odcs_reactor() {
  local -a list
  local place=""
  (( CURRENT > 2 )) && place="$words[2]"
  (( CURRENT > 3 )) && [[ "$words[3]" != -* ]] && place="$place $words[3]"
  case "$place" in
    "") list=(${commands.map(({ name }) => name).join(' ')} --help --version) ;;
${cases.join('\n')}
  esac
  (( $#list )) && compadd -a list
  [[ "$words[CURRENT]" != -* ]] && (( CURRENT > 2 )) && _files
}
compdef _odcs_reactor odcs-reactor
`;
}

function formatFish(commands: readonly CompletedCommand[]): string {
  const lines = commands.flatMap(({ name, summary, options, verbs }) => [
    `complete -c odcs-reactor -n __fish_use_subcommand -f -a ${name} -d ${quote(summary)}`,
    ...options.map((option) => fishOption(`__fish_seen_subcommand_from ${name}`, option)),
    ...verbs.flatMap((verb) => [
      `complete -c odcs-reactor -n '__fish_seen_subcommand_from ${name}' -a ${verb.name} -d ${quote(verb.summary)}`,
      ...verb.options.map((option) =>
        fishOption(
          `__fish_seen_subcommand_from ${name}; and __fish_seen_subcommand_from ${verb.name}`,
          option,
        ),
      ),
    ]),
  ]);
  return `${[...new Set(lines)].join('\n')}\n`;
}

function fishOption(condition: string, option: string): string {
  return `complete -c odcs-reactor -n '${condition}' -l ${option.slice(2)}`;
}

function quote(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
}

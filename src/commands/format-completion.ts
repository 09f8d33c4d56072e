export const shells = ['bash', 'zsh', 'fish'] as const;
export type Shell = (typeof shells)[number];

/**
 * Returns what makes a shell complete: at every Tab it asks the program, which knows its words by their parsers, and offers
 * files where that knows none.
 */
export function formatCompletion(shell: Shell): string {
  switch (shell) {
    case 'bash':
      return `_odcs_reactor() {
  local IFS=$'\\n'
  COMPREPLY=($("\${COMP_WORDS[0]}" completion offer -- "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null | cut -f 1))
}
complete -o default -F _odcs_reactor odcs-reactor
`;
    case 'zsh':
      return `#compdef odcs-reactor
_odcs_reactor() {
  local -a lines offered
  local line
  lines=("\${(@f)$("\${words[1]}" completion offer -- "\${(@)words[2,CURRENT]}" 2>/dev/null)}")
  for line in $lines; do offered+=("\${\${line%%$'\\t'*}//:/\\\\:}:\${line#*$'\\t'}"); done
  if (( $#offered )); then _describe odcs-reactor offered; else _files; fi
}
if [ "$funcstack[1]" = _odcs_reactor ]; then _odcs_reactor "$@"; else compdef _odcs_reactor odcs-reactor; fi
`;
    case 'fish':
      return `function __odcs_reactor_offer
  set -l words (commandline -opc)
  set -l offered ($words[1] completion offer -- $words[2..-1] (commandline -ct) 2>/dev/null)
  if test (count $offered) -gt 0
    printf '%s\\n' $offered
  else
    __fish_complete_path (commandline -ct)
  end
end
complete -c odcs-reactor -f -a '(__odcs_reactor_offer)'
`;
    default:
      return shell satisfies never;
  }
}

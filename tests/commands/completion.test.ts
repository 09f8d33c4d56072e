import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { after, test } from 'node:test';
import { command } from '../../src/commands/completion.ts';
import { composeStates } from '../../src/model/compose.ts';
import { shells, type Shell } from '../../src/commands/format-completion.ts';
import { ensurePackages } from '../services/debian-packages.ts';
import { ruleText } from '../rules/rule-text.ts';
import { runCommand } from './run-command.ts';

const home = mkdtempSync(join(tmpdir(), 'odcs-completion-'));
after(() => rmSync(home, { recursive: true, force: true }));
const rules = join(home, 'rules');
mkdirSync(join(home, '.config', 'odcs-reactor'), { recursive: true });
writeFileSync(
  join(home, '.config', 'odcs-reactor', 'profiles.yaml'),
  'profiles:\n  prod: { server: "https://odcs.example.com" }\n  stage: { server: "https://odcs.stg.example.com" }\n',
);
mkdirSync(rules);
for (const name of ['nightly', 'next']) {
  writeFileSync(join(rules, `${name}.yaml`), ruleText('- event: koji.tag').replace('nightly', name));
}
// As a package puts it into the path.
const bin = join(home, 'bin');
mkdirSync(bin);
const program = join(import.meta.dirname, '../../bin/odcs-reactor.mjs');
writeFileSync(join(bin, 'odcs-reactor'), `#!/bin/sh\nexec '${process.execPath}' '${program}' "$@"\n`);
chmodSync(join(bin, 'odcs-reactor'), 0o755);
writeFileSync(join(home, 'a-file.txt'), '');

const environment = {
  HOME: home,
  XDG_CONFIG_HOME: join(home, '.config'),
  PATH: [bin, process.env['PATH']].join(delimiter),
  ODCS_RULES_DIR: rules,
  LC_ALL: 'C.UTF-8',
};

/** What a line offers: every word that begins so, whatever else the shell says. */
const lines: readonly (readonly [line: string, expected: readonly string[]])[] = [
  ['comp', ['completion', 'compose']],
  ['compose wa', ['watch']],
  ['compose create --la', ['--label']],
  ['serve --ro', ['--roles']],
  ['createrepo some-directory --gr', ['--groupfile']],
  ['compose list --state d', ['done']],
  ['compose list --state=d', ['--state=done']],
  ['compose list --state=', Object.keys(composeStates).map((state) => `--state=${state}`)],
  ['compose create pul', ['pulp']],
  ['compose create tag f44 --flag no_d', ['no_deps']],
  ['serve --roles rules,a', ['rules,announcer', 'rules,api']],
  ['compose list --output y', ['yaml']],
  ['rules trigger --output n', []],
  ['compose list --profile ', ['prod', 'stage']],
  ['--profile s', ['stage']],
  ['--profile stage compose li', ['list']],
  ['rules pause n', ['next', 'nightly']],
  ['rules decisions --rule ni', ['nightly']],
  ['rules new a-rule --for rep', ['repo']],
  ['events tail --kind koji.ta', ['koji.tag', 'koji.task']],
  ['completion f', ['fish']],
  ['createrepo a-f', ['a-file.txt']],
];

/** Returns the words that a real shell offers for a line. */
const offeredBy: Readonly<Record<Shell, (script: string, line: string) => string>> = {
  bash: (script, line) => `${script}
cd; COMP_LINE=${quote(line)}; COMP_POINT=\${#COMP_LINE}
COMP_WORDS=(${line
    .split(' ')
    // Behind an equals sign with nothing after it the word is the sign itself.
    .flatMap((word) => word.split(/(=)/).filter((part, at) => part !== '' || at === 0))
    .map(quote)
    .join(' ')}); COMP_CWORD=$(( \${#COMP_WORDS[@]} - 1 ))
_odcs_reactor; printf '%s\\n' "\${COMPREPLY[@]}"
[ \${#COMPREPLY[@]} = 0 ] && compgen -f -- "\${COMP_WORDS[COMP_CWORD]}"`,
  // Completion widgets need a terminal: zsh has one of its own for that.
  zsh: (script, line) => `zmodload zsh/zpty
zpty -b asked zsh -f
zpty -w asked ${quote(`PS1='' PROMPT_EOL_MARK=''; cd; autoload -Uz compinit; compinit -u; ${zshSettings}`)}
zpty -w asked ${quote(`source =(cat <<'SCRIPT'\n${script}SCRIPT\n); print -r READY-\${:-NOW}`)}
text=""; until [[ $text == *READY-NOW* ]]; do zpty -r asked piece; text+=$piece; done
zpty -n -w asked ${quote(line)}$'\\t'
text=""; until [[ $text == *END-OF-LIST* ]]; do zpty -r asked piece && text+=$piece; done
print -r -- "$text"`,
  fish: (script, line) => `${script}\ncd; complete -C ${quote(line)} | string split -f 1 \\t`,
};
// Whatever is to be shown is marked, for a terminal has its own text around it.
const zshSettings =
  'compadd() { local -a given; builtin compadd -O given "$@"; builtin compadd "$@"; local end=$?; ' +
  '[[ "$*" == *-[OAD]* ]] || print -rl -- "" OFFERED:${^given}; return $end; }; ' +
  "list-them() { _main_complete; compstate[insert]=''; compstate[list]=''; print -rl -- '' END-OF-LIST; }; " +
  "zle -C ask-list complete-word list-them; bindkey '^I' ask-list";

function quote(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}

for (const shell of shells) {
  const packages = ensurePackages([shell]);
  const skip = packages.ready ? false : packages.reason;
  test(
    `${shell} offers commands, verbs, options and their values, and files elsewhere`,
    { skip },
    async () => {
      const { out: script } = await runCommand(command, [shell]);
      for (const [line, expected] of lines) {
        const text = offeredBy[shell](script, `odcs-reactor ${line}`);
        const { stdout, stderr } = spawnSync(
          shell,
          [...(shell === 'bash' ? ['--norc'] : shell === 'zsh' ? ['-f'] : ['--no-config']), '-c', text],
          {
            encoding: 'utf8',
            env: environment,
            timeout: 30_000,
          },
        );
        assert.equal(stderr, '', line);
        const words = stdout.split(/[\r\n]+/).filter((word) => word !== '');
        const marked = words.flatMap((word) => /OFFERED:(\S+)/.exec(word)?.[1] ?? []);
        const shown = shell === 'zsh' ? marked : words;
        const own = shell === 'bash' ? expected.map((word) => word.replace(/^--[a-z]+=/, '')) : expected;
        assert.deepEqual([...new Set(shown)].sort(), [...own].sort(), `${shell}: ${line}`);
      }
    },
  );
}

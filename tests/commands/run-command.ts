import type { Command } from '../../src/commands/command.ts';

/** What a command printed, and how it ended. */
export interface CommandRun {
  readonly code: number;
  readonly out: string;
  readonly told: string;
}

/** Runs a command as the program does, by default without a terminal. Throws what the command throws. */
export async function runCommand(
  command: Command,
  argv: readonly string[],
  environment: Readonly<Record<string, string>> = {},
  { isOutputTerminal = false }: { readonly isOutputTerminal?: boolean } = {},
): Promise<CommandRun> {
  let out = '';
  let told = '';
  const code = await command.run({
    argv,
    stdout: (text) => (out += text),
    stderr: (text) => (told += text),
    environment,
    isTerminal: false,
    isOutputTerminal,
    signal: new AbortController().signal,
  });
  return { code, out, told };
}

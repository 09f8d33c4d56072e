/** What a command may touch of the process it runs in. */
export interface CommandContext {
  /** Arguments after the command's name. */
  readonly argv: readonly string[];
  /** Where results go, a line or a piece at a time. */
  readonly stdout: (text: string) => void;
  /** Where progress and complaints go. */
  readonly stderr: (text: string) => void;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Whether standard error is a terminal, so that progress may redraw its line. */
  readonly isTerminal: boolean;
  /** Aborted by the first Ctrl-C or SIGTERM. */
  readonly signal: AbortSignal;
}

export interface Command {
  /** One line for the list of commands. */
  readonly summary: string;
  /** The whole help text. */
  readonly help: string;
  /** Runs the command; returns the exit code. A ReactorError that it throws is printed by the caller. */
  readonly run: (context: CommandContext) => Promise<number>;
}

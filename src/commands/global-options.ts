/** Options of every verb that has them, which may stand before the command and its verb as well: whether each takes a value. */
export const globalOptions: Readonly<Record<string, boolean>> = {
  '--server': true,
  '--token': true,
  '--profile': true,
  '--output': true,
  '-o': true,
  '--json': false,
  '--no-color': false,
};

/** Returns the global options that words begin with, their values among them, and the words after them. */
export function splitGlobalOptions(words: readonly string[]): {
  readonly globals: readonly string[];
  readonly rest: readonly string[];
} {
  let count = 0;
  for (let word = words[0]; word !== undefined; word = words[count]) {
    const [name = '', value] = word.split('=', 2);
    if (!Object.hasOwn(globalOptions, name)) break;
    count += globalOptions[name] === true && value === undefined ? 2 : 1;
  }
  return { globals: words.slice(0, count), rest: words.slice(count) };
}

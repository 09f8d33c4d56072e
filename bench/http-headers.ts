import { run as runKoji } from './koji.ts';

/** `http-headers [--short | --tree DIR]`: the headers of a tag of 20,000 RPMs over HTTP, from near and from far away. */
export function run(argv: readonly string[]): Promise<void> {
  return runKoji([...argv, '--headers']);
}

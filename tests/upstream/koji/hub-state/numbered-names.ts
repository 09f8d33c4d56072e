/** Names that get a number when they are first said. */
export class NumberedNames {
  readonly #numbers = new Map<string, number>();

  /** The number of a name, a new one where it has none. */
  numberOf(name: string): number {
    const known = this.#numbers.get(name);
    if (known !== undefined) return known;
    const next = this.#numbers.size + 1;
    this.#numbers.set(name, next);
    return next;
  }

  find(name: string): number | undefined {
    return this.#numbers.get(name);
  }

  nameOf(number: number): string | undefined {
    return [...this.#numbers].find(([, known]) => known === number)?.[0];
  }

  entries(): readonly (readonly [string, number])[] {
    return [...this.#numbers];
  }

  /** Gives a number another name. Throws where the name is taken. */
  rename(from: string, to: string): void {
    const number = this.#numbers.get(from);
    if (number === undefined || this.#numbers.has(to)) throw new Error(`${from} cannot be renamed to ${to}`);
    this.#numbers.delete(from);
    this.#numbers.set(to, number);
  }
}

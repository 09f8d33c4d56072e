import { explainWhy, type GatherResult } from '../gather/gather-result.ts';
import type { SelectedPackage, SourcePackage } from '../selection.ts';

/**
 * A package that a gather chose. Why it did is put into words for those who ask only: nobody reads the reasons of a whole
 * tag.
 */
export class GatheredPackage implements SelectedPackage {
  readonly package: SourcePackage;
  readonly #result: GatherResult;
  readonly #id: number;

  /** `id` is that of the package in the index of the result. */
  constructor(described: SourcePackage, result: GatherResult, id: number) {
    this.package = described;
    this.#result = result;
    this.#id = id;
  }

  get why(): string {
    const why = this.#result.why(this.#id);
    return why === null ? 'chosen by name' : explainWhy(this.#result.index, this.package, why);
  }
}

import { ReactorError } from '../../model/errors.ts';
import { parseRichDependency, type PlainDependency, type RichDependency } from '../../rpm/rich-dependency.ts';
import { wantedOf, type Providers } from './providers.ts';
import type { Universe } from './universe.ts';

/** Where rich dependencies are looked at: what may satisfy them, and what does. */
interface RichPlace {
  readonly universe: Universe;
  readonly providers: Providers;
  readonly kind: number;
  readonly isInResult: (id: number) => boolean;
}

export interface RichContext extends RichPlace {
  /** By text; null for one that is no rich dependency. */
  readonly read: Map<string, RichDependency | null>;
  /** What may satisfy a leaf: the universe stays as it is. */
  readonly candidates: Map<RichDependency, readonly number[]>;
}

/** Returns a context in which each dependency is read, and looked up, once. */
export function openRich(place: RichPlace): RichContext {
  return { ...place, read: new Map(), candidates: new Map() };
}

function candidatesOf(
  { universe, providers, kind, candidates }: RichContext,
  leaf: PlainDependency,
): readonly number[] {
  const known = candidates.get(leaf);
  if (known !== undefined) return known;
  const found = providers.latest(wantedOf(universe, leaf.dependency), kind);
  candidates.set(leaf, found);
  return found;
}

/** A leaf, or a `with`/`without` whose sides must be provided by one package: its candidates are one set. */
function setOf(context: RichContext, rich: RichDependency): readonly number[] {
  switch (rich.kind) {
    case 'plain':
      return candidatesOf(context, rich);
    case 'and':
    case 'or':
      return [...new Set(rich.operands.flatMap((operand) => setOf(context, operand)))];
    case 'with': {
      const [first, ...rest] = rich.operands.map((operand) => new Set(setOf(context, operand)));
      return [...(first ?? [])].filter((id) => rest.every((set) => set.has(id)));
    }
    case 'without': {
      const without = new Set(setOf(context, rich.right));
      return setOf(context, rich.left).filter((id) => !without.has(id));
    }
    case 'if':
    case 'unless': {
      const otherwise = rich.otherwise === null ? [] : setOf(context, rich.otherwise);
      return [...new Set([...setOf(context, rich.consequent), ...otherwise])];
    }
    default:
      return rich satisfies never;
  }
}

function isPossible(context: RichContext, rich: RichDependency): boolean {
  switch (rich.kind) {
    case 'plain':
    case 'with':
    case 'without':
      return setOf(context, rich).length > 0;
    case 'and':
      return rich.operands.every((operand) => isPossible(context, operand));
    case 'or':
      return rich.operands.some((operand) => isPossible(context, operand));
    case 'if':
    case 'unless':
      return (
        isPossible(context, rich.consequent) ||
        (rich.otherwise !== null && isPossible(context, rich.otherwise))
      );
    default:
      return rich satisfies never;
  }
}

/** Adds to `chosen` what makes the dependency hold whichever way its conditions turn out. */
function satisfy(context: RichContext, rich: RichDependency, chosen: Set<number>): void {
  const isTaken = (id: number): boolean => chosen.has(id) || context.isInResult(id);
  switch (rich.kind) {
    case 'plain':
    case 'with':
    case 'without': {
      const candidates = setOf(context, rich);
      if (candidates.some(isTaken)) return;
      for (const id of context.providers.chooseForRequirement(candidates)) chosen.add(id);
      return;
    }
    case 'and':
      for (const operand of rich.operands) satisfy(context, operand, chosen);
      return;
    case 'or': {
      if (rich.operands.some((operand) => holds(context, operand, isTaken))) return;
      const started = rich.operands.find(
        (operand) => isPossible(context, operand) && setOf(context, operand).some((id) => chosen.has(id)),
      );
      const open = started ?? rich.operands.find((operand) => isPossible(context, operand));
      if (open !== undefined) satisfy(context, open, chosen);
      return;
    }
    case 'if':
    case 'unless':
      satisfy(context, rich.consequent, chosen);
      if (rich.otherwise !== null) satisfy(context, rich.otherwise, chosen);
      return;
    default:
      rich satisfies never;
  }
}

/**
 * Whether the dependency holds with these packages. `asked` wants both branches of a condition, so that it holds
 * whichever way the condition turns out; otherwise the condition is evaluated.
 */
function holds(
  context: RichContext,
  rich: RichDependency,
  isTaken: (id: number) => boolean,
  mode: 'asked' | 'evaluated' = 'asked',
): boolean {
  switch (rich.kind) {
    case 'plain':
    case 'with':
    case 'without':
      return setOf(context, rich).some(isTaken);
    case 'and':
      return rich.operands.every((operand) => holds(context, operand, isTaken, mode));
    case 'or':
      return rich.operands.some((operand) => holds(context, operand, isTaken, mode));
    case 'if':
    case 'unless': {
      const isElse = rich.otherwise === null || holds(context, rich.otherwise, isTaken, mode);
      if (mode === 'asked') return holds(context, rich.consequent, isTaken, mode) && isElse;
      const isConsequent = holds(context, rich.condition, isTaken, mode) === (rich.kind === 'if');
      return isConsequent ? holds(context, rich.consequent, isTaken, mode) : isElse;
    }
    default:
      return rich satisfies never;
  }
}

function read(context: RichContext, text: string): RichDependency | null {
  const known = context.read.get(text);
  if (known !== undefined) return known;
  const rich = parse(text);
  context.read.set(text, rich);
  return rich;
}

function parse(text: string): RichDependency | null {
  try {
    return parseRichDependency(text);
  } catch (thrown) {
    if (thrown instanceof ReactorError) return null;
    throw thrown;
  }
}

/**
 * Resolves a rich dependency as logic and returns the packages to take. The package that "any side, the best one"
 * would give is always among them, so the answer is a superset of the reference composer's; what `and` and conditions
 * need is added. A text that is no rich dependency asks for nothing. Source: pungi contract 1.6, the rpm manual.
 */
export function resolveRich(context: RichContext, text: string): readonly number[] {
  const rich = read(context, text);
  if (rich === null) return [];
  const chosen = new Set(context.providers.chooseForRequirement(setOf(context, rich)));
  satisfy(context, rich, chosen);
  return [...chosen];
}

/**
 * Whether a rich dependency holds for a whole result, as rpm evaluates it: `(A if B)` without B asks for nothing. A
 * text that is no rich dependency never holds.
 */
export function holdsRich(context: RichContext, text: string): boolean {
  const rich = read(context, text);
  return rich !== null && holds(context, rich, context.isInResult, 'evaluated');
}

/**
 * Returns the packages that a rich dependency speaks of: whether it holds, and what it asks for, changes only as they are
 * taken.
 */
export function packagesOfRich(context: RichContext, text: string): ReadonlySet<number> {
  const rich = read(context, text);
  return new Set(rich === null ? [] : leavesOf(rich).flatMap((leaf) => setOf(context, leaf)));
}

/** Returns the names that a rich dependency speaks of; none of a text that is no rich dependency. */
export function namesOfRich(text: string): string[] {
  const rich = parse(text);
  return rich === null ? [] : leavesOf(rich).map(({ dependency }) => dependency.name);
}

function leavesOf(rich: RichDependency): readonly PlainDependency[] {
  switch (rich.kind) {
    case 'plain':
      return [rich];
    case 'and':
    case 'or':
    case 'with':
      return rich.operands.flatMap(leavesOf);
    case 'without':
      return [...leavesOf(rich.left), ...leavesOf(rich.right)];
    case 'if':
    case 'unless': {
      const otherwise = rich.otherwise === null ? [] : leavesOf(rich.otherwise);
      return [...leavesOf(rich.consequent), ...leavesOf(rich.condition), ...otherwise];
    }
    default:
      return rich satisfies never;
  }
}

/**
 * The known option nearest to one written, where fewer letters differ than half of it has; null otherwise.
 * Source: main compose contract 2.
 */
export function nearestOption(written: string, known: Iterable<string>): string | null {
  let best: string | null = null;
  let bestDistance = written.length / 2;
  for (const option of known) {
    const distance = editDistance(written, option);
    if (distance < bestDistance) {
      best = option;
      bestDistance = distance;
    }
  }
  return best;
}

const LONGEST = 100;

/** How many letters have to be put in, taken out or replaced. */
function editDistance(left: string, right: string): number {
  if (left.length > LONGEST) return left.length;
  let previous = Array.from({ length: right.length + 1 }, (_, column) => column);
  for (let row = 1; row <= left.length; row += 1) {
    const current = [row];
    for (let column = 1; column <= right.length; column += 1) {
      const isSame = left[row - 1] === right[column - 1];
      current.push(
        Math.min(
          (previous[column] ?? 0) + 1,
          (current[column - 1] ?? 0) + 1,
          (previous[column - 1] ?? 0) + (isSame ? 0 : 1),
        ),
      );
    }
    previous = current;
  }
  return previous[right.length] ?? 0;
}

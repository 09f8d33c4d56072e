/** How far a moment is, in the largest unit that fits: `3 minutes ago`, `in 2 days`. */
export function distance(milliseconds: number): string {
  const seconds = Math.round(Math.abs(milliseconds) / 1000);
  const units = [
    [86_400, 'day'],
    [3600, 'hour'],
    [60, 'minute'],
    [1, 'second'],
  ] as const;
  const [size, name] = units.find(([least]) => seconds >= least) ?? [1, 'second'];
  const count = Math.floor(seconds / size);
  if (count === 0) return 'now';
  const text = `${count} ${name}${count === 1 ? '' : 's'}`;
  return milliseconds < 0 ? `${text} ago` : `in ${text}`;
}

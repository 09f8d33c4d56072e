const unitMs = {
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
  y: 31_536_000_000,
} as const;

/** What a written duration looks like: `0s`, `90s`, `10m`, `2h`, `3d`, `1h30m`, `2w`, `1y` (365 days). */
const durationPattern = /^(?:\d{1,6}(?:ms|s|m|h|d|w|y))+$/;

/** Reads `90s`, `1h30m`, `3d`, `1y` as milliseconds; null where the text is no duration. */
export function parseDuration(text: string): number | null {
  if (text.length > 40 || !durationPattern.test(text)) return null;
  let total = 0;
  for (const [, count, unit] of text.matchAll(/(\d+)(ms|s|m|h|d|w|y)/g)) {
    if (isUnit(unit)) total += Number(count) * unitMs[unit];
  }
  return total;
}

function isUnit(text: string | undefined): text is keyof typeof unitMs {
  return text !== undefined && Object.hasOwn(unitMs, text);
}

/** Writes milliseconds as people read them: `1h30m`, `45s`, `250ms`; at most two units. */
export function formatDuration(ms: number): string {
  if (ms < 1000) return `${Math.max(0, Math.round(ms))}ms`;
  let rest = Math.round(ms / 1000) * 1000;
  const parts: string[] = [];
  for (const unit of ['d', 'h', 'm', 's'] as const) {
    const count = Math.floor(rest / unitMs[unit]);
    rest -= count * unitMs[unit];
    if (count > 0) parts.push(`${count}${unit}`);
  }
  return parts.slice(0, 2).join('');
}

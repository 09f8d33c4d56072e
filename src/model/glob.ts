/** Whether the text holds `*` or `?`, the only two wildcards there are. */
export function isGlob(pattern: string): boolean {
  return pattern.includes('*') || pattern.includes('?');
}

/**
 * Whether the pattern covers the whole text: `*` stands for any run of characters, `?` for one. Two pointers,
 * going back to the last star only, so hostile text costs at most pattern times text and no regex is run.
 */
export function matchGlob(pattern: string, text: string): boolean {
  let p = 0;
  let t = 0;
  let star = -1;
  let resume = 0;
  while (t < text.length) {
    const code = p < pattern.length ? pattern.charCodeAt(p) : -1;
    if (code === STAR) {
      star = p;
      resume = t;
      p += 1;
    } else if (code === QUESTION || code === text.charCodeAt(t)) {
      p += 1;
      t += 1;
    } else if (star >= 0) {
      p = star + 1;
      resume += 1;
      t = resume;
    } else {
      return false;
    }
  }
  while (p < pattern.length && pattern.charCodeAt(p) === STAR) p += 1;
  return p === pattern.length;
}

const STAR = 42;
const QUESTION = 63;

/** Characters that begin, end or part nodes of YAML, each a possible node; `:`, `?` and `-` do so before a blank. */
const marks = new Set([...'\n,"\'[]{}&*!|>%#'].map((character) => character.charCodeAt(0)));
const marksBeforeBlank = new Set([...':?-'].map((character) => character.charCodeAt(0)));
const blanks = new Set([...' \t\r\n'].map((character) => character.charCodeAt(0)));

/**
 * Whether a YAML text could have more nodes than `most`, told from its characters alone: a parser takes seconds for
 * some hundred thousand nodes, however short the text is.
 */
export function hasMoreYamlMarks(text: string, most: number): boolean {
  let count = 0;
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (marks.has(code) || (marksBeforeBlank.has(code) && blanks.has(text.charCodeAt(at + 1)))) count += 1;
    if (count > most) return true;
  }
  return false;
}

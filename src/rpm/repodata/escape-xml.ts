const SPECIAL = /[&<>"]/;
const EVERY_SPECIAL = /[&<>"]/g;

function entity(character: string): string {
  switch (character) {
    case '&':
      return '&amp;';
    case '<':
      return '&lt;';
    case '>':
      return '&gt;';
    default:
      return '&quot;';
  }
}

/** Escapes text so that it may stand in an element and in a double-quoted attribute alike. */
export function escapeXml(text: string): string {
  return SPECIAL.test(text) ? text.replace(EVERY_SPECIAL, entity) : text;
}

const BLANK = /[\t\n\r]/;
const EVERY_BLANK = /[\t\n\r]/g;

/** The same for a double-quoted attribute whose line breaks and tabs must arrive as they are. */
export function escapeAttribute(text: string): string {
  const escaped = escapeXml(text);
  if (!BLANK.test(escaped)) return escaped;
  return escaped.replace(EVERY_BLANK, (character) => `&#${character.charCodeAt(0)};`);
}

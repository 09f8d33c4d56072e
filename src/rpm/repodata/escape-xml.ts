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

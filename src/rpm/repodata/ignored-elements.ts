const ignored = [
  'summary>',
  'summary/>',
  'description>',
  'description/>',
  'packager>',
  'packager/>',
  'url>',
  'url/>',
  'time ',
  'format>',
  'rpm:license>',
  'rpm:vendor>',
  'rpm:vendor/>',
  'rpm:group>',
  'rpm:group/>',
  'rpm:buildhost>',
  'rpm:buildhost/>',
  'rpm:sourcerpm/>',
  'rpm:requires/>',
  'rpm:provides/>',
  'rpm:header-range ',
  'rpm:conflicts>',
  'rpm:obsoletes>',
  'rpm:recommends>',
  'rpm:suggests>',
  'rpm:supplements>',
  'rpm:enhances>',
];
/** How the tags of elements begin that say nothing of what is taken from a primary.xml, by their first byte. */
export const ignoredByFirst: readonly (readonly Uint8Array[])[] = Array.from({ length: 128 }, (_, byte) =>
  ignored
    .filter((word) => word.charCodeAt(0) === byte)
    .map((word) => Uint8Array.from(Buffer.from(word, 'latin1'))),
);

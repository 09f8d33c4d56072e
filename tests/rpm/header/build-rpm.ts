/** A value of a tag; strings are given as their bytes, one character each. */
export type TagValue =
  | { readonly type: 'string'; readonly value: string }
  | { readonly type: 'strings' | 'i18n'; readonly value: readonly string[] }
  | { readonly type: 'int16' | 'int32'; readonly value: readonly number[] }
  | { readonly type: 'binary'; readonly value: Uint8Array };

export type Tags = ReadonlyMap<number, TagValue>;

export const string = (value: string): TagValue => ({ type: 'string', value });
export const strings = (...value: string[]): TagValue => ({ type: 'strings', value });
export const int32 = (...value: number[]): TagValue => ({ type: 'int32', value });
export const int16 = (...value: number[]): TagValue => ({ type: 'int16', value });
export const binary = (value: Uint8Array): TagValue => ({ type: 'binary', value });

const numbers = { int16: 3, int32: 4, string: 6, binary: 7, strings: 8, i18n: 9 } as const;

function encode(tag: TagValue): { readonly bytes: Buffer; readonly count: number; readonly width: number } {
  switch (tag.type) {
    case 'string':
      return { bytes: Buffer.from(`${tag.value}\0`, 'latin1'), count: 1, width: 1 };
    case 'strings':
    case 'i18n':
      return {
        bytes: Buffer.from(tag.value.map((text) => `${text}\0`).join(''), 'latin1'),
        count: tag.value.length,
        width: 1,
      };
    case 'binary':
      return { bytes: Buffer.from(tag.value), count: tag.value.byteLength, width: 1 };
    default: {
      const width = tag.type === 'int16' ? 2 : 4;
      const bytes = Buffer.alloc(tag.value.length * width);
      for (const [index, value] of tag.value.entries()) bytes.writeUIntBE(value, index * width, width);
      return { bytes, count: tag.value.length, width };
    }
  }
}

function entry(tag: number, type: number, offset: number, count: number): Buffer {
  const bytes = Buffer.alloc(16);
  bytes.writeUInt32BE(tag, 0);
  bytes.writeUInt32BE(type, 4);
  bytes.writeInt32BE(offset, 8);
  bytes.writeUInt32BE(count, 12);
  return bytes;
}

/** A header with these tags, in a region (62 of signatures, 63 of packages) or, before version 4, without. */
export function buildHeader(tags: Tags, region: 62 | 63 | undefined): Buffer {
  const index: Buffer[] = [];
  const data: Buffer[] = [];
  let size = 0;
  for (const [tag, value] of [...tags].sort(([a], [b]) => a - b)) {
    const { bytes, count, width } = encode(value);
    const padding = (width - (size % width)) % width;
    data.push(Buffer.alloc(padding), bytes);
    index.push(entry(tag, numbers[value.type], size + padding, count));
    size += padding + bytes.byteLength;
  }
  if (region !== undefined) {
    index.unshift(entry(region, 7, size, 16));
    data.push(entry(region, 7, -16 * index.length, 16));
    size += 16;
  }
  const intro = Buffer.alloc(16);
  intro.writeUInt32BE(0x8eade801, 0);
  intro.writeUInt32BE(index.length, 8);
  intro.writeUInt32BE(size, 12);
  return Buffer.concat([intro, ...index, ...data]);
}

export interface RpmParts {
  readonly main: Tags;
  readonly signature?: Tags;
  /** 3 leaves the regions away; 4 by default. */
  readonly format?: 3 | 4;
  readonly payload?: Uint8Array;
}

/** A whole RPM file, unsigned and without digests unless `signature` has them. */
export function buildRpm({
  main,
  signature = new Map(),
  format = 4,
  payload = Buffer.alloc(20),
}: RpmParts): Buffer {
  const lead = Buffer.alloc(96);
  lead.writeUInt32BE(0xedabeedb, 0);
  lead.writeUInt8(3, 4);
  lead.writeUInt16BE(main.has(1044) ? 0 : 1, 6);
  lead.writeUInt16BE(1, 8);
  lead.write('made-up', 10);
  lead.writeUInt16BE(1, 76);
  lead.writeUInt16BE(5, 78);
  const isOld = format === 3;
  const sized: Tags = new Map([[1000, int32(1)], ...signature]);
  const first = buildHeader(sized, isOld ? undefined : 62);
  const padding = Buffer.alloc((8 - (first.byteLength % 8)) % 8);
  return Buffer.concat([lead, first, padding, buildHeader(main, isOld ? undefined : 63), payload]);
}

/** The tags every package has. */
export function plainTags(name: string): Map<number, TagValue> {
  return new Map<number, TagValue>([
    [100, strings('C')],
    [1000, string(name)],
    [1001, string('1.0')],
    [1002, string('1')],
    [1004, { type: 'i18n', value: ['Summary'] }],
    [1005, { type: 'i18n', value: ['Description'] }],
    [1006, int32(1_700_000_000)],
    [1007, string('builder')],
    [1009, int32(10)],
    [1014, string('MIT')],
    [1016, { type: 'i18n', value: ['Group'] }],
    [1021, string('linux')],
    [1022, string('noarch')],
    [1044, string(`${name}-1.0-1.src.rpm`)],
    [1064, string('4.18.0')],
    [1124, string('cpio')],
    [1125, string('gzip')],
    [1126, string('9')],
  ]);
}

/** The part of seek-bzip 2.0.0 that is used. */
declare module 'seek-bzip' {
  interface Output {
    writeByte(byte: number): void;
  }

  interface SeekBzip {
    /** Decompresses all streams of the input; throws a `TypeError` for what is no bzip2 or has another checksum. */
    decode(input: Uint8Array, output: Output, isMultistream: boolean): void;
  }

  const bzip: SeekBzip;
  export default bzip;
}

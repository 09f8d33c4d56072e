const TEXT_BYTES = 512;
/** Length of the text, then the text. Shared, so that another thread can read it while this one stands still. */
const shared = new SharedArrayBuffer(4 + TEXT_BYTES);
const length = new Int32Array(shared, 0, 1);
const text = Buffer.from(shared, 4, TEXT_BYTES);

/** Notes what this thread has just begun, for whoever asks why it stands still. Costs less than a microsecond. */
export function noteActivity(what: string): void {
  Atomics.store(length, 0, text.write(what));
}

/** The memory that `noteActivity` writes into, for `readActivity` in another thread. */
export function activityBuffer(): SharedArrayBuffer {
  return shared;
}

/** What the thread that owns the buffer noted last; empty where it noted nothing. */
export function readActivity(buffer: SharedArrayBuffer): string {
  const size = Atomics.load(new Int32Array(buffer, 0, 1), 0);
  return Buffer.from(Buffer.from(buffer, 4, Math.min(size, TEXT_BYTES))).toString('utf8');
}

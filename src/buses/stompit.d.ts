/** The part of stompit 1.0.0 that is used, two of its inner members included. See decision 0005. */
declare module 'stompit' {
  import type { EventEmitter } from 'node:events';
  import type { Readable, Writable } from 'node:stream';

  export type FrameHeaders = Record<string, string | number>;

  export interface IncomingFrame extends Readable {
    readonly command: string;
    readonly headers: Readonly<FrameHeaders>;
  }

  export type CommandHandler = (frame: IncomingFrame, beforeSendResponse: () => void) => void;

  export interface Client extends EventEmitter {
    readonly headers?: Readonly<FrameHeaders>;
    /** The parser of what comes in; what it throws, nobody catches. */
    readonly _incoming: { _continueTransform: () => void };
    setCommandHandlers(handlers: Record<string, CommandHandler>): void;
    sendFrame(command: string, headers: FrameHeaders): Writable;
    destroy(error?: Error): void;
  }

  export interface ConnectOptions {
    readonly host: string;
    readonly port: number;
    readonly ssl?: boolean;
    readonly ca?: Buffer;
    readonly cert?: Buffer;
    readonly key?: Buffer;
    readonly servername?: string;
    readonly timeout?: number;
    readonly connectHeaders: FrameHeaders;
    readonly maxLineLength?: number;
    readonly maxHeaders?: number;
    readonly heartbeatDelayMargin?: number;
    readonly heartbeatOutputMargin?: number;
  }

  export function connect(
    options: ConnectOptions,
    callback: (error: Error | null, client: Client) => void,
  ): Client;

  const stompit: { connect: typeof connect };
  export default stompit;
}

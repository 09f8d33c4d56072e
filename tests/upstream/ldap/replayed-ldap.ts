import { createServer, type AddressInfo, type Socket } from 'node:net';

/** What OpenLDAP 2.5 answered to searches for `memberUid`, in hexadecimal. */
export const ldapAnswers = {
  twoGroups:
    '304702010164420425636e3d72656c656e672c6f753d67726f7570732c64633d6578616d706c652c64633d636f6d301930170402636e3111040672656c656e6704074772c3b6c39f653042020101643d0427636e3d6275696c646572732c6f753d67726f7570732c64633d6578616d706c652c64633d636f6d301230100402636e310a04086275696c64657273300c02010165070a010004000400',
  none: '300c02010165070a010004000400',
  noSuchBase: '301d02010165180a0120041164633d6578616d706c652c64633d636f6d0400',
} as const;

/** What it was asked for the user `kim`. */
export const ldapSearchForKim =
  '30490201016344041b6f753d67726f7570732c64633d6578616d706c652c64633d636f6d0a01010a0100020100020100010100a31004096d656d62657255696404036b696d30040402636e';

export interface ReplayedLdap extends AsyncDisposable {
  readonly url: string;
  /** Everything that was received, in hexadecimal. */
  readonly received: () => string;
}

/** Answers the first request of each connection with these bytes, `piece` of them at a time, then hangs up if told. */
export async function openReplayedLdap(
  answer: string,
  { piece = 1_000_000, hangsUp = false } = {},
): Promise<ReplayedLdap> {
  const received: Buffer[] = [];
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.on('data', (bytes: Buffer) => {
      const isFirst = received.length === 0;
      received.push(bytes);
      if (!isFirst) return;
      const whole = Buffer.from(answer, 'hex');
      for (let start = 0; start < whole.length; start += piece) {
        socket.write(whole.subarray(start, start + piece));
      }
      if (hangsUp) socket.end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `ldap://127.0.0.1:${port}`,
    received: () => Buffer.concat(received).toString('hex'),
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

import { ReactorError } from '../../model/errors.ts';

/** What can be done about a fault of the hub. */
export type FaultClass = 'offline' | 'flaky' | 'final';

const FAULT_UNEXPECTED = 1;
export const FAULT_GENERIC = 1000;
const FAULT_OFFLINE = 1014;
export const FAULT_PARAMETER = 1019;

/**
 * Offline waits as long as it takes (planned outage, database down), flaky is tried a few times (an exception in
 * the hub), anything else stays as it is. Source: Koji contract 1.2.
 */
function classifyFault(code: number): FaultClass {
  if (code === FAULT_OFFLINE) return 'offline';
  return code === FAULT_UNEXPECTED ? 'flaky' : 'final';
}

/** A fault that the hub answered to one call. */
export class KojiFault extends ReactorError {
  readonly faultCode: number;
  readonly faultText: string;
  readonly faultClass: FaultClass;

  constructor(hubUrl: string, method: string, code: number, text: string) {
    const faultClass = classifyFault(code);
    const line = firstLine(text);
    super(codeOf(faultClass), sentenceOf(faultClass, method, line), {
      where: `${hubUrl} ${method}`,
      fate: faultClass === 'offline' ? 'retry' : 'drop',
      ...(faultClass === 'offline' ? { hint: 'The hub says so itself; the call is made again later.' } : {}),
    });
    this.faultCode = code;
    this.faultText = text;
    this.faultClass = faultClass;
  }
}

function codeOf(faultClass: FaultClass): string {
  switch (faultClass) {
    case 'offline':
      return 'koji.hub_offline';
    case 'flaky':
      return 'koji.hub_exception';
    case 'final':
      return 'koji.fault';
    default:
      return faultClass satisfies never;
  }
}

function sentenceOf(faultClass: FaultClass, method: string, line: string): string {
  switch (faultClass) {
    case 'offline':
      return `The Koji hub is offline: ${line}`;
    case 'flaky':
      return `The Koji hub failed inside ${method}: ${line}`;
    case 'final':
      return `The Koji hub refused ${method}: ${line}`;
    default:
      return faultClass satisfies never;
  }
}

// A traceback ends in the exception itself, a plain fault is one line.
function firstLine(text: string): string {
  const lines = text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');
  const line = lines[0]?.startsWith('Traceback') === true ? lines.at(-1) : lines[0];
  return (line ?? 'without a text').slice(0, 300);
}

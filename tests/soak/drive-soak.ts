import { setTimeout as pause } from 'node:timers/promises';
import type { Random } from '../fuzz/random.ts';
import { askForCompose } from '../faults/ask-service.ts';
import type { SoakLatency, Span } from './judge-soak.ts';

export interface SoakDrive {
  readonly random: Random;
  readonly apiUrl: string;
  readonly upstreamUrl: string;
  /** Requests a second, and seconds from one compose that is asked for to the next. */
  readonly requestsPerSecond: number;
  readonly composeEverySeconds: number;
  /** Seconds in all. */
  readonly seconds: number;
  /** Seconds since the beginning. */
  readonly now: () => number;
  /** When every request has to be answered. */
  readonly calm: readonly Span[];
}

/** What was asked for so far, and how long it took. */
export interface SoakDriven {
  readonly composes: number[];
  readonly latencies: SoakLatency[];
  requests: number;
  /** Requests of calm times that were not answered with 200, in words. */
  readonly refused: string[];
}

/** Few packages and fewer ways to choose them: composes that are equal meet. */
const choices: readonly [string[], ...string[][]] = [['ed'], ['curl'], ['nginx'], ['bash', 'ed']];
const PLACES = 6;
const LIVES_SECONDS = 45;
const PATIENCE_MS = 20_000;

/** Asks for composes and for pages at a steady rate until the time is over, and notes into `driven`. */
export async function driveSoak(drive: SoakDrive, driven: SoakDriven): Promise<void> {
  await Promise.all([askForComposes(drive, driven), askForPages(drive, driven)]);
}

async function askForComposes(drive: SoakDrive, driven: SoakDriven): Promise<void> {
  const { random, apiUrl, upstreamUrl, composeEverySeconds, seconds, now } = drive;
  const asking: Promise<void>[] = [];
  for (let at = 0; at * composeEverySeconds < seconds; at += 1) {
    await pause(Math.max(0, (at * composeEverySeconds - now()) * 1000));
    const begin = now();
    const source = {
      type: 'repo',
      source: `${upstreamUrl}/fast/${random.below(PLACES)}`,
      packages: random.pick(choices),
    };
    const flags = random.below(3) === 0 ? [] : ['no_reuse'];
    const body = { source, flags, seconds_to_live: LIVES_SECONDS };
    asking.push(
      (async () => {
        const id = await askForCompose(apiUrl, `soak-${at}`, body);
        driven.composes.push(id);
        await untilEnded(apiUrl, id);
        driven.latencies.push({ name: 'compose', at: begin, ms: (now() - begin) * 1000 });
      })(),
    );
  }
  await Promise.all(asking);
}

/** Asks until the service says that a compose has ended, through whatever happens to it. */
async function untilEnded(apiUrl: string, id: number): Promise<void> {
  for (;;) {
    try {
      const signal = AbortSignal.timeout(PATIENCE_MS);
      const response = await fetch(`${apiUrl}/api/1/composes/${id}?wait=10`, { signal });
      const text = await response.text();
      if (response.ok && !/"state_name":\s*"(?:wait|generating)"/.test(text)) return;
    } catch {
      // It is asked again.
    }
    await pause(100);
  }
}

async function askForPages(drive: SoakDrive, driven: SoakDriven): Promise<void> {
  const { random, apiUrl, requestsPerSecond, seconds, now, calm } = drive;
  const asking = new Set<Promise<void>>();
  for (let at = 0; at / requestsPerSecond < seconds; at += 1) {
    await pause(Math.max(0, (at / requestsPerSecond - now()) * 1000));
    const last = driven.composes.at(-1);
    const paths: readonly [string, ...string[]] = [
      '/api/1/composes/?per_page=20',
      '/api/1/events?per_page=20',
      '/console/composes',
      ...(last === undefined ? [] : [`/api/1/composes/${last}`, `/console/composes/${last}`]),
    ];
    const ask = askOnce(`${apiUrl}${random.pick(paths)}`, { now, calm, driven });
    asking.add(ask);
    void ask.finally(() => asking.delete(ask));
  }
  await Promise.all(asking);
}

async function askOnce(
  url: string,
  { now, calm, driven }: Pick<SoakDrive, 'now' | 'calm'> & { readonly driven: SoakDriven },
): Promise<void> {
  const at = now();
  driven.requests += 1;
  const answer = await fetch(url, { signal: AbortSignal.timeout(PATIENCE_MS) })
    .then(async (response) => {
      await response.arrayBuffer();
      return String(response.status);
    })
    .catch((error: unknown) => String(error));
  if (answer === '200') driven.latencies.push({ name: 'request', at, ms: (now() - at) * 1000 });
  else if (calm.some(([from, to]) => at >= from && now() <= to)) driven.refused.push(`${url}: ${answer}`);
}

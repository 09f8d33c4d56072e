/** What was looked at in one moment of a soak. */
export interface SoakSample {
  /** Seconds since the beginning. */
  readonly at: number;
  /** By the name of the process: resident MiB, and open files and sockets. */
  readonly memory: Readonly<Record<string, number>>;
  readonly handles: Readonly<Record<string, number>>;
  /** By table. */
  readonly rows: Readonly<Record<string, number>>;
  readonly databaseMib: number;
  /** What composes and processes keep on disk, each file once however many links it has. */
  readonly diskMib: number;
  /** Events, windows, composes, announcements and jobs that wait. */
  readonly waiting: number;
  /** Messages and composes that were asked for so far. */
  readonly work: number;
}

export type LatencyName = 'request' | 'compose' | 'event';

/** How long something took that began so many seconds after the beginning. */
export interface SoakLatency {
  readonly name: LatencyName;
  readonly at: number;
  readonly ms: number;
}

/** Seconds since the beginning, from and to. */
export type Span = readonly [from: number, to: number];

export interface SoakRun {
  /** The calm parts: before the first fault, and after the last one. */
  readonly first: Span;
  readonly last: Span;
  readonly samples: readonly SoakSample[];
  readonly latencies: readonly SoakLatency[];
}

/** A figure of both calm parts, and what it must not be above in the last one. */
export interface SoakBound {
  readonly name: string;
  readonly unit: 'MiB' | 'handles' | 'things' | 'rows a thing' | 'KiB a thing' | 'ms';
  readonly first: number;
  readonly last: number;
  readonly limit: number;
  readonly isHeld: boolean;
}

/** How much more than first is allowed: a factor, and what may be added where little is measured. */
interface Allowance {
  readonly times: number;
  readonly more: number;
}

const MEMORY: Allowance = { times: 1.25, more: 48 };
const HANDLES: Allowance = { times: 1.25, more: 12 };
const DISK: Allowance = { times: 1.25, more: 16 };
const WAITING: Allowance = { times: 1.5, more: 10 };
const ROWS: Allowance = { times: 1.5, more: 0.5 };
const DATABASE: Allowance = { times: 1.5, more: 8 };
const latencies: Readonly<Record<LatencyName, Allowance>> = {
  request: { times: 2, more: 200 },
  compose: { times: 2, more: 2_000 },
  event: { times: 2, more: 1_000 },
};
const latencyNames = ['request', 'compose', 'event'] as const;
const KIB_OF_MIB = 1024;

/**
 * Holds the last calm part of a run against its first one: memory and handles of every process and what lies on disk by
 * the most of each part; what waits by the least, as a crowd comes and goes; rows of every table and the database by how
 * much they grow for each thing that is asked for; latencies by the time that 99 of 100 took. A part without figures
 * does not hold.
 */
export function judgeSoak(run: SoakRun): readonly SoakBound[] {
  const [before, after] = [samplesIn(run, run.first), samplesIn(run, run.last)];
  const compare = (
    name: string,
    unit: SoakBound['unit'],
    { times, more }: Allowance,
    read: (samples: readonly SoakSample[]) => number,
  ): SoakBound => bound({ name, unit, first: read(before), last: read(after) }, { times, more });
  const processes = namesOf(run.samples, 'memory');
  return [
    ...processes.map((name) =>
      compare(`memory of ${name}`, 'MiB', MEMORY, (samples) => most(samples, ({ memory }) => memory[name])),
    ),
    ...processes.map((name) =>
      compare(`handles of ${name}`, 'handles', HANDLES, (samples) =>
        most(samples, ({ handles }) => handles[name]),
      ),
    ),
    compare('disk', 'MiB', DISK, (samples) => most(samples, ({ diskMib }) => diskMib)),
    compare('what waits', 'things', WAITING, (samples) => least(samples, ({ waiting }) => waiting)),
    compare('database', 'KiB a thing', DATABASE, (samples) =>
      growth(samples, ({ databaseMib }) => databaseMib * KIB_OF_MIB),
    ),
    ...namesOf(run.samples, 'rows').map((table) =>
      compare(`rows of ${table}`, 'rows a thing', ROWS, (samples) =>
        growth(samples, ({ rows }) => rows[table] ?? 0),
      ),
    ),
    ...latencyNames.map((name) =>
      bound(
        { name: `${name}s`, unit: 'ms', first: of99(run, name, run.first), last: of99(run, name, run.last) },
        latencies[name],
      ),
    ),
  ];
}

function bound(figures: Omit<SoakBound, 'limit' | 'isHeld'>, { times, more }: Allowance): SoakBound {
  // What shrinks is judged as what stays.
  const limit = Math.max(0, figures.first) * times + more;
  return { ...figures, limit, isHeld: figures.last <= limit };
}

function samplesIn({ samples }: SoakRun, [from, to]: Span): readonly SoakSample[] {
  return samples.filter(({ at }) => at >= from && at <= to);
}

function namesOf(samples: readonly SoakSample[], field: 'memory' | 'rows'): readonly string[] {
  return [...new Set(samples.flatMap((sample) => Object.keys(sample[field])))].toSorted();
}

/** NaN, which holds nothing, where something was not measured. */
function most(samples: readonly SoakSample[], read: (sample: SoakSample) => number | undefined): number {
  return samples.length === 0 ? Number.NaN : Math.max(...samples.map((sample) => read(sample) ?? Number.NaN));
}

function least(samples: readonly SoakSample[], read: (sample: SoakSample) => number): number {
  return samples.length === 0 ? Number.NaN : Math.min(...samples.map(read));
}

/** By how much something grows for each thing that is asked for; NaN where nothing was asked for. */
function growth(samples: readonly SoakSample[], read: (sample: SoakSample) => number): number {
  const [begin, end] = [samples[0], samples.at(-1)];
  if (begin === undefined || end === undefined || end.work <= begin.work) return Number.NaN;
  return (read(end) - read(begin)) / (end.work - begin.work);
}

function of99({ latencies: all }: SoakRun, name: LatencyName, [from, to]: Span): number {
  const times = all
    .filter((latency) => latency.name === name && latency.at >= from && latency.at <= to)
    .map(({ ms }) => ms)
    .toSorted((left, right) => left - right);
  return times[Math.min(times.length - 1, Math.floor(times.length * 0.99))] ?? Number.NaN;
}

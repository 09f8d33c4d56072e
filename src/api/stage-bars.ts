import type { Compose } from '../model/compose-json.ts';
import type { StageTimes } from '../model/stage-times.ts';
import { formatSpan } from './chain/chain.ts';
import type { Tone } from './console/elements.ts';

/** One bar of the waterfall; times are milliseconds since 1970. */
export interface StageBar {
  readonly stage: string;
  readonly words: string;
  readonly from: number;
  readonly to: number;
  readonly tone: Tone;
  readonly state: '' | 'going on' | 'failed';
  /** A part of the stage above it. */
  readonly isPart: boolean;
}

/** What people call the stages; others are called by their names. */
const stageWords: Readonly<Record<string, string>> = {
  wait: 'waits for a composer',
  make: 'is made',
  plan: 'plan',
  'plan.read': 'read the inputs',
  'plan.index': 'index packages',
  'plan.gather': 'gather what is required',
  'plan.manifest': 'manifest and fingerprint',
  place: 'place packages',
  repodata: 'write repodata',
  metadata: 'write metadata',
  sign: 'sign metadata',
  discs: 'write discs',
  delegate: 'Pungi',
  publish: 'publish',
};

/** Returns what the time of a compose went into, as bars in the order in which they began. */
export function stageBars(compose: Compose, times: StageTimes | null, now: Date): readonly StageBar[] {
  const { timeSubmitted, timeStarted, timeDone, state } = compose;
  const isRunning = state === 'generating';
  const begun = times === null ? null : Date.parse(times.begun);
  const nowMs = now.getTime();
  const submitted = timeSubmitted.getTime();
  const started = timeStarted?.getTime() ?? (state === 'wait' ? nowMs : null);
  if (started === null) return [];
  const wait = bar('wait', { from: submitted, to: started, state: state === 'wait' ? 'going on' : '' });
  const waited = started - submitted > 0 ? [wait] : [];
  if (times === null || begun === null) {
    const ended = timeDone?.getTime() ?? (isRunning ? nowMs : null);
    const made =
      ended === null || state === 'wait'
        ? []
        : [bar('make', { from: started, to: ended, state: isRunning ? 'going on' : '' })];
    return [...waited, ...made];
  }
  const stages = times.stages.map(({ stage, from, to, isFailed }) => {
    const isOpen = to === null && isRunning;
    const end = to === null ? (isRunning ? nowMs : (timeDone?.getTime() ?? begun + from)) : begun + to;
    return bar(stage, {
      from: begun + from,
      to: Math.max(begun + from, end),
      state: isFailed ? 'failed' : isOpen ? 'going on' : '',
    });
  });
  return [...waited, ...stages].toSorted((left, right) => left.from - right.from);
}

function bar(stage: string, { from, to, state }: Pick<StageBar, 'from' | 'to' | 'state'>): StageBar {
  const tone =
    state === 'failed' ? 'bad' : state === 'going on' ? 'busy' : stage === 'wait' ? 'calm' : 'good';
  return { stage, words: stageWords[stage] ?? stage, from, to, state, tone, isPart: stage.includes('.') };
}

/** How long a stage took, to the millisecond where it was short: `0`, `38 ms`, `4.2 s`, `10 min`. */
export function exactSpan(ms: number): string {
  if (ms <= 0) return '0';
  if (ms < 1000) return `${Math.round(ms)} ms`;
  return ms < 20_000 ? `${(ms / 1000).toFixed(1)} s` : formatSpan(ms);
}

import { html, raw } from 'hono/html';
import { findStageTimes } from '../../database/composes.ts';
import type { Compose } from '../../model/compose-json.ts';
import type { StageTimes } from '../../model/stage-times.ts';
import { formatSpan } from '../chain/chain.ts';
import type { Tone } from './elements.ts';
import type { Html, PageContext } from './page.ts';

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

/** Units of the bars, which are drawn without regard to their width on the screen. */
const WIDTH = 1000;
const LEAST = 4;

/** The waterfall of a compose: what its time went into. Empty where nothing is known. */
export async function stagesSection(context: PageContext, compose: Compose): Promise<Html> {
  const times = await findStageTimes(context.database.handle, compose.id);
  const bars = stageBars(compose, times, context.now);
  if (bars.length === 0) return html``;
  const begin = Math.min(...bars.map(({ from }) => from));
  const whole = Math.max(1, Math.max(...bars.map(({ to }) => to)) - begin);
  const isLive = compose.state === 'wait' || compose.state === 'generating';
  const rows = bars.map((bar) => {
    const x = Math.round(((bar.from - begin) / whole) * WIDTH);
    const width = Math.max(LEAST, Math.round(((bar.to - bar.from) / whole) * WIDTH));
    const word = bar.state === '' ? '' : html` <span class="${bar.tone}">${bar.state}</span>`;
    return html`<tr>
      <th scope="row" class="${bar.isPart ? 'part' : ''}">${bar.words}</th>
      <td>
        <svg viewBox="0 0 ${WIDTH} 10" preserveAspectRatio="none" aria-hidden="true">
          <rect class="fill-none" x="0" y="9" width="${WIDTH}" height="1" />
          <rect
            class="fill-${bar.tone}"
            x="${Math.min(x, WIDTH - LEAST)}"
            y="0"
            width="${width}"
            height="10"
          />
        </svg>
      </td>
      <td class="number">${exactSpan(bar.from - begin)}</td>
      <td class="number">${exactSpan(bar.to - bar.from)}${word}</td>
    </tr>`;
  });
  return html`<h2 id="time">What its time went into <span class="soft">${exactSpan(whole)}</span></h2>
    <div id="stages" ${isLive ? raw('data-live="2"') : ''}>
      <table class="waterfall">
        <thead>
          <tr>
            <th scope="col">Stage</th>
            <th scope="col"><span class="soft">0 to ${exactSpan(whole)}</span></th>
            <th scope="col" class="number">After</th>
            <th scope="col" class="number">Took</th>
          </tr>
        </thead>
        <tbody>
          ${rows}
        </tbody>
      </table>
    </div>`;
}

/** How long a stage took, to the millisecond where it was short: `0`, `38 ms`, `4.2 s`, `10 min`. */
export function exactSpan(ms: number): string {
  if (ms <= 0) return '0';
  if (ms < 1000) return `${Math.round(ms)} ms`;
  return ms < 20_000 ? `${(ms / 1000).toFixed(1)} s` : formatSpan(ms);
}

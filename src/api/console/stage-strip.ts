import { html } from 'hono/html';
import type { Compose } from '../../model/compose-json.ts';
import type { StageTimes } from '../../model/stage-times.ts';
import { exactSpan, stageBars } from '../stage-bars.ts';
import type { Html } from './page.ts';

const WIDTH = 1000;
const LEAST = 8;
const ROW = 6;

/** What the time of a compose that is being made went into so far: a bar for each stage, and the same in words. */
export function stageStrip(compose: Compose, times: StageTimes | null, now: Date): Html {
  const bars = stageBars(compose, times, now).filter((bar) => !bar.isPart && bar.stage !== 'wait');
  if (bars.length === 0) return html``;
  const begin = Math.min(...bars.map(({ from }) => from));
  const whole = Math.max(1, Math.max(...bars.map(({ to }) => to)) - begin);
  const drawn = bars.map(({ from, to, tone }, row) => {
    const width = Math.max(LEAST, Math.round(((to - from) / whole) * WIDTH));
    const x = Math.min(WIDTH - width, Math.round(((from - begin) / whole) * WIDTH));
    return html`<rect class="fill-${tone}" x="${x}" y="${row * ROW}" width="${width}" height="${ROW - 2}" />`;
  });
  const words = bars.map(
    (bar) =>
      `${bar.words} ${bar.state === 'going on' ? `for ${exactSpan(bar.to - bar.from)}` : exactSpan(bar.to - bar.from)}`,
  );
  return html`<svg
      class="stages"
      viewBox="0 0 ${WIDTH} ${bars.length * ROW}"
      preserveAspectRatio="none"
      aria-hidden="true"
    >
      ${drawn}
    </svg>
    <div class="small soft">${words.join(', ')}</div>`;
}

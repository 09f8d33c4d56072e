import { html, raw } from 'hono/html';
import { findStageTimes } from '../../database/composes.ts';
import type { Compose } from '../../model/compose-json.ts';
import { exactSpan, stageBars } from '../stage-bars.ts';
import type { Html, PageContext } from './page.ts';

/** Units of the bars, which are drawn without regard to their width on the screen. */
const WIDTH = 1000;
const LEAST = 4;

/** The waterfall of a compose: what its time went into. Empty where nothing is known. */
export async function stagesSection(context: PageContext, compose: Compose): Promise<Html> {
  const times = await findStageTimes(context.database.kysely, compose.id);
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

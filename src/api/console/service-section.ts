import { statfs } from 'node:fs/promises';
import { html } from 'hono/html';
import { listProcesses } from '../../database/processes.ts';
import { formatBytes } from '../format-bytes.ts';
import type { HealthPart } from '../context.ts';
import { badge, moment, stackTable } from './elements.ts';
import type { Html, PageContext } from './page.ts';

/** A clock that is further off is something to mend. */
const SKEW_MS = 2000;
/** Less room than this part of a disk is little. */
const LITTLE = 0.1;

/** What the service runs on: its parts, buses among them, its processes and the disk of its composes. */
export async function serviceSection(context: PageContext, parts: readonly HealthPart[]): Promise<Html> {
  const { now } = context;
  const processes = await listProcesses(context.database.kysely);
  const seen = processes.map(
    (member) =>
      html`<tr>
        <td class="plain">${member.host}</td>
        <td>${badge(member.isAlive ? 'active' : 'gone')}</td>
        <td data-label="Version">${member.version}</td>
        <td>${member.roles.join(', ')}</td>
        <td data-label="Clock">${skewText(member.skewMs)}</td>
        <td data-label="Started">${moment(member.startedAt, now)}</td>
        <td data-label="Seen">${moment(member.lastSeen, now)}</td>
      </tr>`,
  );
  return html`<h2 id="service">Parts of this process</h2>
    <table class="stack">
      <tbody>
        ${parts.map(
          ({ name, isWell, detail }) =>
            html`<tr>
              <th scope="row" class="plain">${name}</th>
              <td><span class="badge ${isWell ? 'good' : 'bad'}">${isWell ? 'well' : 'not well'}</span></td>
              <td>${detail}</td>
            </tr>`,
        )}
        ${await diskRow(context)}
      </tbody>
    </table>
    <h2 id="processes">Processes <span class="soft">${processes.length}</span></h2>
    ${
      processes.length === 0
        ? html`<p class="empty">
            None was seen within a day. Start one with <code>odcs-reactor serve</code>.
          </p>`
        : html`${stackTable(['Host', 'State', 'Version', 'Roles', 'Clock', 'Started', 'Last seen'], seen)}`
    }`;
}

function skewText(skewMs: number): Html {
  if (Math.abs(skewMs) <= SKEW_MS) return html`<span class="soft">agrees</span>`;
  const direction = skewMs > 0 ? 'ahead' : 'behind';
  return html`<span class="badge bad">${(Math.abs(skewMs) / 1000).toFixed(1)} s ${direction}</span>`;
}

async function diskRow({ config }: PageContext): Promise<Html> {
  const disk = await statfs(config.target_dir).catch(() => null);
  if (disk === null || disk.blocks === 0) return html``;
  const free = disk.bavail * disk.bsize;
  const whole = disk.blocks * disk.bsize;
  const isLittle = disk.bavail / disk.blocks < LITTLE;
  return html`<tr>
    <th scope="row" class="plain">disk of composes</th>
    <td><span class="badge ${isLittle ? 'bad' : 'good'}">${isLittle ? 'little room' : 'well'}</span></td>
    <td>
      ${formatBytes(free)} of ${formatBytes(whole)} free
      <meter
        min="0"
        max="1"
        high="0.9"
        optimum="0"
        value="${(1 - free / whole).toFixed(2)}"
        aria-label="Disk used"
      ></meter>
    </td>
  </tr>`;
}

import { html } from 'hono/html';
import { listImageTasks } from '../../database/image-tasks.ts';
import type { Compose } from '../../model/compose-json.ts';
import { badge, moment, stackTable } from './elements.ts';
import type { Html, PageContext } from './page.ts';

/** The images that Koji makes of a compose, how each is, and its task; empty where it has none. */
export async function deliverablesSection(context: PageContext, compose: Compose): Promise<Html> {
  const id = compose.reusedId ?? compose.id;
  const tasks = await listImageTasks(context.database.kysely, id);
  if (tasks.length === 0) return html``;
  const rows = tasks.map((row) => {
    const { task, state, reason, task_id: taskId, task_url: url } = row;
    const since = row.ended_at ?? row.begun_at;
    return html`<tr>
      <td data-label="Image">
        ${task.phase} ${task.isFailable ? html`<span class="soft small">may fail</span>` : ''}
      </td>
      <td data-label="Variant">${task.variant}</td>
      <td data-label="Arches">${task.arches.join(' ')}</td>
      <td data-label="State">
        ${badge(state === 'asked' ? 'waiting' : state)}
        ${reason === null ? '' : html`<span class="small">${reason}</span>`}
      </td>
      <td data-label="Task">
        ${taskId === null ? '' : url === null ? taskId : html`<a href="${url}">${taskId}</a>`}
      </td>
      <td data-label="Since">${since === null ? '' : moment(since, context.now)}</td>
    </tr>`;
  });
  return html`<h2 id="deliverables">Deliverables <span class="soft">${tasks.length}</span></h2>
    ${stackTable(['Image', 'Variant', 'Arches', 'State', 'Task', 'Since'], rows)}`;
}

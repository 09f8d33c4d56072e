/**
 * Follows the compose of a page by server-sent events: moves the progress bar, and loads the page again when the
 * state has changed. The page is complete without it.
 */
export const liveScript = `
for (const box of document.querySelectorAll('[data-follow]')) {
  const source = new EventSource(box.dataset.follow);
  source.addEventListener('progress', (event) => {
    const { stage, done, total, unit } = JSON.parse(event.data);
    const bar = box.querySelector('progress');
    bar.max = Math.max(total, 1);
    bar.value = done;
    box.querySelector('[data-stage]').textContent = stage + ' ' + done + '/' + total + ' ' + unit;
  });
  source.addEventListener('state', (event) => {
    if (JSON.parse(event.data).state_name === box.dataset.state) return;
    source.close();
    location.reload();
  });
}
`;

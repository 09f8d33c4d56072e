/**
 * What pages do beside what they show without script: `/` goes to the search field, a form shows what it would bring, regions that are live are read again
 * when the service says that something of theirs has changed, and now and then while somebody looks, a compose is followed by server-sent events, times are told in the reader's own zone, and
 * buttons copy. Every page is complete without it.
 */
export const pagesScriptText = `
const field = document.querySelector('#find');
document.addEventListener('keydown', (event) => {
  const { target } = event;
  const isTyping = target instanceof HTMLElement && target.closest('input, textarea, select, [contenteditable]');
  if (event.key !== '/' || event.ctrlKey || event.metaKey || event.altKey || isTyping || !field) return;
  event.preventDefault();
  field.focus();
  field.select();
});

const own = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'short' });
const isElsewhere = new Date().getTimezoneOffset() !== 0;
function tellOwnTimes(root) {
  for (const time of root.querySelectorAll('time[datetime]')) {
    const text = own.format(new Date(time.dateTime));
    time.title = time.dateTime + ', here ' + text;
    if (!isElsewhere || !time.hasAttribute('data-own')) continue;
    const beside = document.createElement('span');
    beside.className = 'soft small';
    beside.textContent = ' ' + text + ' here';
    time.after(beside);
  }
}

function offerCopies(root) {
  for (const button of root.querySelectorAll('button[data-copy]')) {
    button.hidden = false;
    button.addEventListener('click', async () => {
      const box = document.getElementById(button.dataset.copy);
      try {
        await navigator.clipboard.writeText(box.textContent.trim());
      } catch {
        getSelection().selectAllChildren(box);
        document.execCommand('copy');
      }
      const label = button.textContent;
      button.textContent = 'Copied';
      setTimeout(() => { button.textContent = label; }, 2000);
    });
  }
}

function follow(root) {
  for (const box of root.querySelectorAll('[data-follow]')) {
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
}

function preview(form) {
  const region = document.getElementById(form.dataset.preview);
  let asked = null;
  let timer = 0;
  let shown = '';
  async function show(fields) {
    asked?.abort();
    asked = new AbortController();
    region.setAttribute('aria-busy', 'true');
    try {
      const { signal } = asked;
      const response = await fetch(form.action, { method: 'POST', body: fields, headers: { Accept: 'text/html' }, signal });
      const fresh = new DOMParser().parseFromString(await response.text(), 'text/html');
      const next = fresh.getElementById(region.id);
      if (next === null || signal.aborted) return;
      region.replaceChildren(...next.childNodes);
      offerCopies(region);
      region.removeAttribute('aria-busy');
    } catch (error) {
      if (error.name !== 'AbortError') region.removeAttribute('aria-busy');
    }
  }
  function showFilled() {
    const fields = new URLSearchParams(new FormData(form));
    const isAnything = fields.get('source') !== '' || fields.get('builds') !== '';
    if (!isAnything || fields.toString() === shown) return;
    shown = fields.toString();
    fields.set('do', 'preview');
    show(fields);
  }
  form.addEventListener('input', () => {
    clearTimeout(timer);
    timer = setTimeout(showFilled, 700);
  });
  if (region.querySelector('.empty')) showFilled();
}

function isInUse(region) {
  const { anchorNode, isCollapsed } = getSelection();
  const isFilled = [...region.querySelectorAll('input, textarea')].some(
    (field) => field.value !== field.defaultValue || field.checked !== field.defaultChecked);
  return region.contains(document.activeElement) || (!isCollapsed && region.contains(anchorNode)) || isFilled;
}

async function readAgain() {
  const response = await fetch(location.href, { headers: { Accept: 'text/html' } });
  if (!response.ok) return;
  const fresh = new DOMParser().parseFromString(await response.text(), 'text/html');
  for (const region of document.querySelectorAll('[data-live]')) {
    const next = fresh.getElementById(region.id);
    if (next === null || next.innerHTML === region.dataset.as || isInUse(region)) continue;
    const opened = [...region.querySelectorAll('details')].map((one) => one.open);
    region.dataset.as = next.innerHTML;
    region.replaceChildren(...next.childNodes);
    [...region.querySelectorAll('details')].forEach((one, at) => { one.open = opened[at] ?? one.open; });
    tellOwnTimes(region);
    offerCopies(region);
  }
}
const everySeconds = Number(document.querySelector('[data-live]')?.dataset.live ?? 0);
if (everySeconds > 0) {
  setInterval(() => {
    if (!document.hidden) readAgain().catch(() => undefined);
  }, everySeconds * 1000);
}

const leastBetween = 2000;
function followChanges(address) {
  let source = null;
  let timer = 0;
  let readAt = 0;
  function readSoon() {
    if (timer !== 0) return;
    timer = setTimeout(async () => {
      readAt = Date.now();
      await readAgain().catch(() => undefined);
      timer = 0;
    }, Math.max(200, readAt + leastBetween - Date.now()));
  }
  // Browsers keep few connections to a server: a page that nobody sees holds none.
  function openWhileSeen() {
    if (document.hidden) {
      source?.close();
      source = null;
    } else if (source === null) {
      source = new EventSource(address);
      source.addEventListener('changed', readSoon);
    }
  }
  document.addEventListener('visibilitychange', openWhileSeen);
  openWhileSeen();
}
const changing = document.querySelector('[data-changes]');
if (changing !== null) followChanges(changing.dataset.changes);

tellOwnTimes(document);
offerCopies(document);
follow(document);
for (const form of document.querySelectorAll('form[data-preview]')) preview(form);
`;

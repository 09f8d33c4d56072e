import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { after, test } from 'node:test';
import type { Browser, Page } from 'playwright-core';
import { ensurePackages } from '../services/debian-packages.ts';
import { givenCompose } from '../api/compose-rows.ts';
import { pauseRule, resumeRule } from '../../src/database/rule-pauses.ts';
import { finishPage, openBrowser, shownPages, variants } from './pictures.ts';
import { openSeededConsole, type SeededConsole } from './seeded-console.ts';

const chromium = ensurePackages(['chromium']);
const skip = chromium.ready ? false : chromium.reason;
const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

let opened: { readonly console: SeededConsole; readonly browser: Browser } | null = null;
if (chromium.ready) {
  const console = await openSeededConsole();
  const browser = await openBrowser();
  opened = { console, browser };
  after(async () => {
    await browser.close();
    await console[Symbol.asyncDispose]();
  });
}

/** What axe finds on a page as it stands, each with the elements; by some rules only where they are named. */
async function findingsOf(page: Page, rules: readonly string[] = []): Promise<readonly string[]> {
  const options = {
    resultTypes: ['violations'],
    ...(rules.length === 0 ? {} : { runOnly: { type: 'rule', values: rules } }),
  };
  return page.evaluate<string[]>(`axe.run(document, ${JSON.stringify(options)}).then(({ violations }) =>
    violations.map(({ id, nodes }) => id + ': ' + nodes.slice(0, 3).map(({ html }) => html.slice(0, 160)).join(' | ')))`);
}

test(
  'no page has a finding of axe, a word that leaves it, or an error, on a wide screen or a phone, light or dark',
  { skip },
  async () => {
    const { console, browser } = opened ?? assert.fail('nothing is open');
    const faults: string[] = [];
    const page = await browser.newPage();
    // Given once, for every page: sending and compiling it costs more than the page. No policy of a page holds it off.
    await page.addInitScript({ content: axe });
    page.on('console', (message) => {
      const isKnown = /status of 404/.test(message.text());
      if (message.type() === 'error' && !isKnown) faults.push(`${page.url()}: ${message.text()}`);
    });
    page.on('pageerror', (error) => faults.push(`${page.url()}: ${error.message}`));
    for (const [name, path] of Object.entries(shownPages(console))) {
      await page.emulateMedia({ colorScheme: 'light' });
      await page.setViewportSize({ width: 1440, height: 900 });
      await page.goto(`${console.url}${path}`, { waitUntil: 'domcontentloaded' });
      await finishPage(page);
      for (const { name: variant, width, scheme } of variants) {
        await page.emulateMedia({ colorScheme: scheme });
        await page.setViewportSize({ width, height: 900 });
        const wide = await page.evaluate<number>('document.documentElement.scrollWidth');
        if (wide > width) faults.push(`${name} is ${wide} px wide on ${width}`);
        // Schemes differ in colours alone; a phone in what scrolls too.
        const rules = { wide: ['color-contrast'], phone: ['color-contrast', 'scrollable-region-focusable'] };
        const findings = await findingsOf(
          page,
          variant === 'wide-light' ? [] : width === 390 ? rules.phone : rules.wide,
        );
        faults.push(...findings.map((finding) => `${name} ${variant}: ${finding}`));
      }
    }
    await page.close();
    assert.deepEqual(faults, []);
  },
);

test('the key / goes to the field that finds, from wherever nothing is typed', { skip }, async () => {
  const { console, browser } = opened ?? assert.fail('nothing is open');
  const page = await browser.newPage();
  await page.goto(`${console.url}/console/composes`);
  await page.keyboard.press('/');
  assert.equal(await page.evaluate('document.activeElement.id'), 'find');
  await page.keyboard.type('openssl-3.2.1-5');
  await page.keyboard.press('Enter');
  await page.waitForURL(/\/find\?q=openssl-3\.2\.1-5/);
  assert.match(await page.innerText('main'), /crypto-signed waits: openssl-3\.2\.1-5\.fc44 not signed/);
  await page.close();
});

test('pages are whole without script', { skip }, async () => {
  const { console, browser } = opened ?? assert.fail('nothing is open');
  const context = await browser.newContext({ javaScriptEnabled: false });
  const page = await context.newPage();
  await page.goto(`${console.url}/console/composes/${console.shown.compose}`);
  assert.equal((await page.locator('svg.chain a').count()) > 4, true);
  assert.equal(await page.locator('button[data-copy]:visible').count(), 0);
  await context.close();
});

test(
  'a list shows what comes while it is looked at, and leaves alone what somebody has selected',
  { skip },
  async () => {
    const { console, browser } = opened ?? assert.fail('nothing is open');
    const page = await browser.newPage();
    await page.goto(`${console.url}/console/composes?owner=somebody-new`);
    await page.waitForSelector('.empty');
    const owner = 'somebody-new';
    const first = await givenCompose(console.api, { owner });
    await page.waitForSelector(`a[href$="/console/composes/${first}"]`);
    await page.evaluate(`getSelection().selectAllChildren(document.querySelector('#list table'))`);
    const second = await givenCompose(console.api, { owner });
    // The count above is none of what is selected, and read together with it.
    await page.waitForSelector('h1:has-text("2")');
    assert.equal(await page.locator(`a[href$="/console/composes/${second}"]`).count(), 0);
    await page.evaluate('getSelection().removeAllRanges()');
    const third = await givenCompose(console.api, { owner });
    await page.waitForSelector(`a[href$="/console/composes/${third}"]`);
    await page.close();
  },
);

test(
  'the page of a rule tells that it was paused, and keeps a reason that is being written',
  { skip },
  async () => {
    const { console, browser } = opened ?? assert.fail('nothing is open');
    const { kysely } = console.api.database;
    const page = await browser.newPage();
    await page.goto(`${console.url}/console/rules/f44-updates`);
    const pause = { rule: 'f44-updates', by: 'alice', reason: 'a test', now: console.api.now };
    await page.fill('#state input[name=reason]', 'because');
    await page.click('h2');
    await pauseRule(kysely, pause);
    await page.waitForSelector('#day .badge:has-text("paused")');
    assert.equal(await page.inputValue('#state input[name=reason]'), 'because');
    await page.fill('#state input[name=reason]', '');
    await page.click('h2');
    await resumeRule(kysely, 'f44-updates');
    await pauseRule(kysely, { ...pause, now: new Date(pause.now.getTime() + 1_000) });
    await page.waitForSelector('.notice.bad:has-text("Paused by alice")');
    await resumeRule(kysely, 'f44-updates');
    await page.waitForSelector('#state input[name=reason]');
    await page.close();
  },
);

test('a page that nobody sees holds no stream', { skip }, async () => {
  const { console, browser } = opened ?? assert.fail('nothing is open');
  const { streams } = console.api.context;
  const count = async (wanted: number): Promise<void> => {
    while (streams.count !== wanted) await new Promise((resolve) => setTimeout(resolve, 10));
  };
  await count(0);
  const page = await browser.newPage();
  await page.goto(`${console.url}/console/events`);
  await count(1);
  const see = (isHidden: boolean): Promise<unknown> =>
    page.evaluate(`Object.defineProperty(document, 'hidden', { value: ${isHidden}, configurable: true });
      document.dispatchEvent(new Event('visibilitychange'))`);
  await see(true);
  await count(0);
  await see(false);
  await count(1);
  await page.close();
  await count(0);
});

import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { chromium, type Browser, type Page } from 'playwright-core';
import { openSeededConsole, type SeededConsole } from './seeded-console.ts';

/** Where Debian has it. */
export const CHROMIUM = '/usr/bin/chromium';

/** Every page of the console, by the name of its picture. */
export function shownPages({ shown }: SeededConsole): Readonly<Record<string, string>> {
  return {
    overview: '/',
    reference: '/console/api',
    find: '/find?q=openssl-3.2.1-5',
    'find-nothing': '/find?q=emacs-30.1-2.fc44',
    'find-empty': '/find',
    composes: '/console/composes',
    compose: `/console/composes/${shown.compose}`,
    'compose-running': `/console/composes/${shown.running}`,
    'compose-failed': `/console/composes/${shown.failed}`,
    'compose-removed': `/console/composes/${shown.removed}`,
    'series-list': '/console/series',
    series: '/console/series/f44-updates',
    events: '/console/events',
    event: `/console/events/${shown.event}`,
    rules: '/console/rules',
    rule: '/console/rules/f44-updates',
    'rule-tried': '/console/rules/f44-updates?try=7d',
    'compose-compared': `/console/composes/${shown.compose}?since=${shown.previous}&q=openssl*`,
    'compose-why': `/console/composes/${shown.compose}?q=openssl-libs`,
    'compose-not-in': `/console/composes/${shown.compose}?q=EMACS`,
    ask: '/console/ask',
    'ask-filled':
      '/console/ask?type=tag&source=f44-updates&packages=openssl-libs+libcurl&arches=x86_64+aarch64',
    'ask-refused': '/console/ask?type=tag&source=nothing&flags=no_deps',
    'rule-paused': '/console/rules/container-updates-f43',
    unknown: '/console/composes/999999',
  };
}

/** The ways a page is looked at. */
export const variants = [
  { name: 'wide-light', width: 1440, scheme: 'light' },
  { name: 'wide-dark', width: 1440, scheme: 'dark' },
  { name: 'phone-light', width: 390, scheme: 'light' },
  { name: 'phone-dark', width: 390, scheme: 'dark' },
] as const;

/** Waits until a filled form shows what it would bring. */
export async function finishPage(page: Page): Promise<void> {
  if (!new URL(page.url()).searchParams.has('source')) return;
  await page.waitForSelector('#preview .notice');
}

/** Opens a browser that loads nothing of elsewhere. */
export async function openBrowser(): Promise<Browser> {
  return chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox', '--disable-gpu'] });
}

/** Takes pictures of pages into a directory: `node tests/console/pictures.ts DIRECTORY [PAGE…]`. */
async function main([directory = 'pictures', ...wanted]: readonly string[]): Promise<void> {
  mkdirSync(directory, { recursive: true });
  await using console = await openSeededConsole();
  const browser = await openBrowser();
  try {
    for (const { name: variant, width, scheme } of variants) {
      const page = await browser.newPage({ viewport: { width, height: 900 }, colorScheme: scheme });
      for (const [name, path] of Object.entries(shownPages(console))) {
        if (wanted.length > 0 && !wanted.includes(name) && !wanted.includes(`${name}-${variant}`)) continue;
        await page.goto(`${console.url}${path}`);
        await finishPage(page);
        await page.screenshot({ path: join(directory, `${name}-${variant}.png`), fullPage: true });
      }
      await page.close();
    }
  } finally {
    await browser.close();
  }
}

if (import.meta.main) await main(process.argv.slice(2));

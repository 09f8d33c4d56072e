import { createHash } from 'node:crypto';
import type { RegisterRoute } from '../context.ts';
import { pagesScriptText } from './pages-script-text.ts';

/** As policies and `integrity` name it. */
export const pagesScriptHash = `sha256-${createHash('sha256').update(pagesScriptText).digest('base64')}`;
/** Below the mount prefix; another script has another address, so that it may be kept for ever. */
export const pagesScriptPath = `/console/pages-${createHash('sha256').update(pagesScriptText).digest('hex').slice(0, 16)}.js`;

/** GET /console/pages-HASH.js: the one script of the pages. */
export const registerPagesScript: RegisterRoute = (app) => {
  app.get(
    pagesScriptPath,
    () =>
      new Response(pagesScriptText, {
        headers: {
          'Content-Type': 'text/javascript; charset=utf-8',
          'Cache-Control': 'public, max-age=31536000, immutable',
          'X-Content-Type-Options': 'nosniff',
        },
      }),
  );
};

import { spawnSync } from 'node:child_process';
import { existsSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import type { Attack } from '../attack.ts';
import { sendRaw, statusOf } from '../raw-request.ts';

/** The file server, asked for what it must not show. */
export const publishedFiles: Attack = {
  name: 'published-files',
  faults: [],
  does: 'Asks the file server for paths that climb, links out, hidden files, pipes and odd ranges.',
  async run(context) {
    const { victim, secretFile, secret } = context;
    const composes = join(dirname(dirname(secretFile)), 'srv/composes');
    const outside = `../../${basename(dirname(secretFile))}/${basename(secretFile)}`;
    const paths = [
      outside,
      outside.replaceAll('../', '%2e%2e/'),
      outside.replaceAll('../', '..%2f'),
      outside.replaceAll('../', '%2e%2e%2f'),
      outside.replaceAll('../', '..%5c'),
      outside.replaceAll('../', '..\\'),
      outside.replaceAll('../', '..%252f'),
      `odcs-${victim}/../../${outside}`,
      `%00${outside}`,
      secretFile,
      `/${secretFile}`,
      encodeURIComponent(secretFile),
      `file://${secretFile}`,
      '.packages/',
      `.odcs-${victim}.building/`,
      'linked-out',
      'a-pipe',
      `odcs-${victim}/compose/Temporary/x86_64/os/repodata/repomd.xml/`,
      '%',
      '%ff%fe',
      'a'.repeat(5_000),
    ];
    const isOwn = existsSync(composes);
    if (isOwn) {
      symlinkSync(secretFile, join(composes, 'linked-out'));
      spawnSync('mkfifo', [join(composes, 'a-pipe')]);
      writeFileSync(join(composes, '.hidden'), secret);
    }
    try {
      for (const path of [...paths, '.hidden']) {
        if (context.signal.aborted) return;
        for (const base of ['/composes/', '/api/1/composes/../../composes/']) {
          const text = await sendRaw(
            context.url,
            `GET ${base}${path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`,
            3_000,
          );
          context.count();
          if (text.includes(secret))
            context.report('escaped', `GET ${base}${path} shows what nobody may read`);
          if (statusOf(text) >= 500)
            context.report('serverErrors', `GET ${base}${path} answers ${statusOf(text)}`);
        }
      }
      const ranges = [
        'bytes=-1',
        'bytes=5-1',
        'bytes=0-99999999999999999999',
        `bytes=${'0-1,'.repeat(2_000)}0-1`,
        'lines=1-2',
      ];
      for (const range of ranges) {
        await context.ask('GET', `/composes/odcs-${victim}/compose/Temporary/x86_64/os/repodata/repomd.xml`, {
          headers: { Range: range },
        });
      }
      for (const method of ['PUT', 'DELETE', 'PATCH', 'MKCOL']) {
        await context.ask(method, `/composes/odcs-${victim}/STATUS`, { body: 'DOOMED' });
      }
    } finally {
      for (const name of isOwn ? ['linked-out', 'a-pipe', '.hidden'] : []) {
        rmSync(join(composes, name), { force: true });
      }
    }
  },
};

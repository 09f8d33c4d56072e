import { execFileSync } from 'node:child_process';
import { openSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Registry } from 'prom-client';
import { noteActivity } from '../../src/activity.ts';
import { startWatchdog } from '../../src/app/watchdog.ts';

/** A process of the watchdog's that stands still: in a loop for ever or for some seconds, or in a call of the system. */
function spin(seconds: number): void {
  const until = performance.now() + seconds * 1000;
  while (performance.now() < until);
}

const [how = '', warn = '1', end = '0'] = process.argv.slice(2);
const metrics = new Registry();
const watchdog = startWatchdog({
  config: {
    event_loop_warn_seconds: Number(warn),
    event_loop_end_seconds: Number(end),
    log_level: 'info',
  },
  metrics,
});
// The thread is to be there before this one stands still.
await new Promise((resolve) => setTimeout(resolve, 1500));
noteActivity(`standing still: ${how}`);
if (how === 'spin') spin(1000);
else if (how === 'hiccup') {
  spin(2.5);
  // What speaks is read only when it is needed.
  await new Promise((resolve) => setTimeout(resolve, 3000));
  process.stdout.write(JSON.stringify({ health: watchdog.health(), metrics: await metrics.metrics() }));
  await watchdog.stop();
} else if (how === 'fifo') {
  const fifo = join(tmpdir(), `odcs-fifo-${process.pid}`);
  execFileSync('mkfifo', [fifo]);
  process.on('exit', () => rmSync(fifo, { force: true }));
  process.stdout.write(fifo);
  openSync(fifo, 'r');
}

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { z } from 'zod';
import { gather } from '../src/composer/gather/gather.ts';
import { loadIndex, saveIndex } from '../src/composer/gather/index-file.ts';
import { loadRepositories } from '../src/composer/gather/load-repositories.ts';

/** One way of gathering, in a process of its own: `xml`, `cache` or `memory`; prints JSON. */
const [mode = '', directory = ''] = process.argv.slice(2);
const packages = z.array(z.string()).parse(JSON.parse(readFileSync(join(directory, 'request.json'), 'utf8')));
const ask = { arch: 'x86_64', packages, greedy: 'build' } as const;
const file = join(directory, 'gather.index');

async function loadSaved() {
  const index = await loadIndex(file, 'bench');
  if (index === null) throw new Error('the xml run comes first');
  return index;
}

// What V8 has left to clear up after the modules were loaded is no part of a gather.
await setTimeout(200);
const seconds: number[] = [];
let count: number;
const begin = performance.now();
const beginCpu = process.cpuUsage();
let cpu = 0;

function cpuSeconds(): number {
  const { user, system } = process.cpuUsage(beginCpu);
  return (user + system) / 1e6;
}

if (mode === 'xml') {
  const { index } = await loadRepositories({}, [{ location: join(directory, 'repo'), isLookaside: false }]);
  count = gather({}, index, ask).binary.length;
  seconds.push((performance.now() - begin) / 1000);
  cpu = cpuSeconds();
  await saveIndex(file, index, 'bench');
} else {
  const index = await loadSaved();
  count = gather({}, index, ask).binary.length;
  seconds.push((performance.now() - begin) / 1000);
  cpu = cpuSeconds();
  if (mode === 'memory') {
    seconds.length = 0;
    const before = cpuSeconds();
    for (let round = 0; round < 40; round += 1) {
      const start = performance.now();
      gather({}, index, ask);
      seconds.push((performance.now() - start) / 1000);
    }
    cpu = (cpuSeconds() - before) / 40;
  }
}
seconds.sort((a, b) => a - b);
const median = seconds[seconds.length >> 1] ?? 0;
process.stdout.write(
  `${JSON.stringify({ seconds: median, cpu, packages: count, peakMb: process.resourceUsage().maxRSS / 1024 })}\n`,
);

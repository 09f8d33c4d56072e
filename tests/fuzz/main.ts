import { parseArgs } from 'node:util';

/** What a fuzzer is given: how long it tries cases once it is ready, in milliseconds, and the seed of its random numbers. */
export interface FuzzRun {
  readonly lasting: number;
  readonly seed: number;
}

/** Each answers how many cases it tried, and throws at the first that is not met as it should be. */
const fuzzers: Readonly<Record<string, () => Promise<{ fuzz(run: FuzzRun): Promise<number> }>>> = {
  api: () => import('./api.ts'),
  deps: () => import('./deps.ts'),
  repodata: () => import('./repodata.ts'),
  rpm: () => import('./rpm.ts'),
  xml: () => import('./xml.ts'),
  xmlrpc: () => import('./xml-rpc.ts'),
};

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { minutes: { type: 'string', default: '1' }, seed: { type: 'string' } },
});
const [name = ''] = positionals;
const load = Object.hasOwn(fuzzers, name) ? fuzzers[name] : undefined;
const minutes = Number(values.minutes);
if (load === undefined || !(minutes > 0)) {
  process.stderr.write(
    `usage: npm run fuzz -- ${Object.keys(fuzzers).join('|')} [--minutes N] [--seed NUMBER]\n`,
  );
  process.exitCode = 2;
} else {
  const start = Date.now();
  const seed = Number(values.seed ?? start % 1_000_000_007);
  process.stdout.write(`${name}: seed ${seed}\n`);
  const cases = await (await load()).fuzz({ seed, lasting: minutes * 60_000 });
  if (cases === 0) throw new Error('No case was tried.');
  process.stdout.write(`${name}: ${cases} cases in ${((Date.now() - start) / 1000).toFixed(0)} s, all met\n`);
}

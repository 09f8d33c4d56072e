/** Each benchmark prints what it measured; `node bench/main.ts NAME [arguments]`. */
const benchmarks: Readonly<Record<string, () => Promise<{ run(argv: readonly string[]): Promise<void> }>>> = {
  compose: () => import('./compose.ts'),
  createrepo: () => import('./createrepo.ts'),
  koji: () => import('./koji.ts'),
  gather: () => import('./gather.ts'),
  rules: () => import('./rules.ts'),
  listeners: () => import('./listeners.ts'),
  modules: () => import('./modules.ts'),
  growth: () => import('./growth.ts'),
  crowd: () => import('./crowd.ts'),
  main: () => import('./main-compose.ts'),
  lock: () => import('./lock.ts'),
};

const [name = '', ...argv] = process.argv.slice(2);
const load = Object.hasOwn(benchmarks, name) ? benchmarks[name] : undefined;
if (load === undefined) {
  process.stderr.write(`usage: node bench/main.ts ${Object.keys(benchmarks).join('|')} [arguments]\n`);
  process.exitCode = 2;
} else {
  await (await load()).run(argv);
}

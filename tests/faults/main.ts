/** Fault suites, each in a file of its name: `npm run faults -- listeners [--short] [--json]`. */
const suites: Readonly<Record<string, () => Promise<{ run(argv: readonly string[]): Promise<boolean> }>>> = {
  lifecycle: () => import('./lifecycle.ts'),
  listeners: () => import('./listeners.ts'),
};

const [name = '', ...argv] = process.argv.slice(2);
const load = Object.hasOwn(suites, name) ? suites[name] : undefined;
if (load === undefined) {
  process.stderr.write(`usage: npm run faults -- ${Object.keys(suites).join('|')} [--short] [--json]\n`);
  process.exitCode = 2;
} else {
  process.exitCode = (await (await load()).run(argv)) ? 0 : 1;
}

import { parseArgs } from 'node:util';
import { ensurePackages } from '../services/debian-packages.ts';
import { postgresqlPackages } from '../services/postgresql.ts';
import { rabbitmqPackages } from '../services/rabbitmq.ts';
import { formatSoak } from './format-soak.ts';
import { soak } from './soak.ts';

const SHORT_SECONDS = 120;
/** With ten minutes every kind of fault comes twice. */
const SECONDS_OF_A_FAULT = 300;

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '10' },
    short: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
    seed: { type: 'string' },
  },
});
const seconds = values.short ? SHORT_SECONDS : Math.round(Number(values.minutes) * 60);
if (!(seconds >= SHORT_SECONDS)) {
  process.stderr.write(
    'usage: npm run soak -- [--minutes N, 2 at least] [--short] [--json] [--seed NUMBER]\n',
  );
  process.exit(2);
}
const packages = ensurePackages([...postgresqlPackages, ...rabbitmqPackages]);
if (!packages.ready) throw new Error(packages.reason);
const report = await soak({
  seconds,
  seed: Number(values.seed ?? Date.now() % 1_000_000),
  times: Math.max(1, Math.round(seconds / SECONDS_OF_A_FAULT)),
  say: (text) => void process.stderr.write(`${text}\n`),
});
process.stdout.write(values.json ? `${JSON.stringify(report)}\n` : formatSoak(report));
if (!report.isClean) process.exitCode = 1;

import { parseArgs } from 'node:util';
import { ensurePackages } from '../services/debian-packages.ts';
import { postgresqlPackages } from '../services/postgresql.ts';
import { rabbitmqPackages } from '../services/rabbitmq.ts';
import { fedoraRates } from './distribution.ts';
import { formatReport } from './format-report.ts';
import { simulate } from './simulate.ts';

/** The short form: the same rates, with a rebuild and a storm that fit into an hour and a half. */
const shortRates = { ...fedoraRates, massRebuild: 300, massRebuildHours: 1, storm: 1_000, pushedUpdates: 60 };

const { values } = parseArgs({
  options: {
    short: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
    hours: { type: 'string', default: '24' },
  },
});
const packages = ensurePackages([...postgresqlPackages, ...rabbitmqPackages]);
if (!packages.ready) throw new Error(packages.reason);
const report = await simulate({
  minutes: values.short ? 95 : Math.round(Number(values.hours) * 60),
  rates: values.short ? shortRates : fedoraRates,
  say: (text) => void process.stderr.write(`${text}\n`),
});
process.stdout.write(values.json ? `${JSON.stringify(report)}\n` : formatReport(report));
// Whatever came has to be decided, and a life in which nothing is composed is none.
const failed = report.outcomes['failed'] ?? 0;
if (report.stuck > 0 || failed > 0 || report.composed === 0) process.exitCode = 1;

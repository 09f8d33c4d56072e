import { MOST_COUNTED } from '../src/database/list-composes.ts';
import { openTestApi } from '../tests/api/open-test-api.ts';
import { startPostgresql } from '../tests/services/postgresql.ts';
import { countRows, fillGrowth, sizeOf, type GrowthSize } from './growth-fill.ts';
import { nodesOf, openPlanLog, type RunStatement } from './growth-plans.ts';
import { loopSteps, routeSteps, type GrowthStep } from './growth-steps.ts';

/** What may read more, how many rows or which part of a table, and why. */
const allowed: readonly {
  readonly text: RegExp;
  readonly most: number;
  readonly part?: number;
  readonly why: string;
}[] = [
  {
    text: /(?:^|\) )select count\(\*\) as "total" from \(select/,
    most: 5 * MOST_COUNTED,
    why: 'totals are exact up to so many; where a fifth of all rows count, they are found by reading on',
  },
  {
    text: /(?:^|\) )select "id" from "composes" .*offset/,
    most: Infinity,
    why: 'a far page is reached over the entries of an index; rows are not read',
  },
  {
    text: /^select source_type as "sourceType", state, is_settled/,
    most: Infinity,
    why: 'each process counts the removed composes once, at its first scrape',
  },
  {
    text: /^with looked as materialized \( select id, "finished_at"/,
    most: 50_000,
    why: 'each of the 500 requests it looks at looks for a later one of its series',
  },
  {
    text: /^select events\.id from \( select cause\.event_id/,
    most: 50_000,
    part: 0.05,
    why: 'once a sweep; PostgreSQL begins with the fewer of old events and needed ones',
  },
];

/** A statement may look at so many rows of a table that grows, or at this part of them, whichever is more. */
const MOST_ROWS = 5_000;
const MOST_PART = 0.01;
/** A scan that ends after so few rows wanted no certain ones. */
const FIRST_ROWS = 100;

/** Tables that grow with the years. */
const LARGE = [
  'announcements',
  'compose_requests',
  'composes',
  'decisions',
  'events',
  'settle_windows',
  'window_causes',
] as const;

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

function quantile(values: readonly number[], part: number): number {
  return values.toSorted((left, right) => left - right)[Math.floor((values.length - 1) * part)] ?? 0;
}

/** Returns what is wrong with how a statement was run, as sentences. */
function findFaults({ plan, text }: RunStatement, rows: ReadonlyMap<string, number>): readonly string[] {
  const statement = text.replaceAll(/\s+/g, ' ').trim();
  const exception = allowed.find((entry) => entry.text.test(statement));
  return nodesOf(plan).flatMap((node) => {
    const table = LARGE.find((name) => name === node['Relation Name']);
    if (table === undefined || node['Actual Loops'] === 0) return [];
    const read = (node['Actual Rows'] + (node['Rows Removed by Filter'] ?? 0)) * node['Actual Loops'];
    const whole = rows.get(table) ?? 0;
    if (exception !== undefined && read <= Math.max(exception.most, whole * (exception.part ?? 0))) return [];
    const type = node['Node Type'];
    const most = Math.max(MOST_ROWS, whole * MOST_PART);
    return read > most || (type === 'Seq Scan' && read > FIRST_ROWS)
      ? [`${type} reads ${read} rows of ${table}: ${statement.slice(0, 60)} … ${statement.slice(-240)}`]
      : [];
  });
}

interface Measured {
  readonly step: GrowthStep;
  readonly times: readonly number[];
  readonly buffers: number;
  readonly faults: readonly string[];
}

function print({ step, times, buffers, faults }: Measured): void {
  const numbers = [quantile(times, 0.5), quantile(times, 0.99)].map((time) => time.toFixed(1).padStart(9));
  say(`${numbers.join('')}${String(buffers).padStart(10)}  ${faults.length > 0 ? 'SLOW ' : ''}${step.name}`);
}

/**
 * Fills a PostgreSQL as two years do (a tenth of it; `--full`, or `--short` for a fiftieth) and runs every route and
 * every loop. Fails where one reads a growing table through, unless the reason for that stands in `allowed`.
 */
export async function run(argv: readonly string[]): Promise<void> {
  const isShort = argv.includes('--short');
  const size: GrowthSize = sizeOf(argv.includes('--full') ? 1 : isShort ? 0.02 : 0.1);
  const runs = isShort ? 3 : 5;
  const server = await startPostgresql();
  process.env['ODCS_TEST_DATABASE_URL'] = server.url;
  try {
    // On so few rows reading them through may be the best plan: then it is asked whether there is another.
    const plans = await openPlanLog(server, { isSeqscanDiscouraged: isShort });
    await using api = await openTestApi();
    api.now = new Date();
    const start = performance.now();
    await fillGrowth(api.database.kysely, size);
    const rows = await countRows(api.database.kysely);
    say(
      `filled in ${((performance.now() - start) / 1000).toFixed(1)} s: ${[...rows].map(([name, count]) => `${count} ${name}`).join(', ')}`,
    );
    await plans.start();
    say('median ms   99 %   buffers');
    let isGood = true;
    for (const step of [...routeSteps(api, size), ...loopSteps(api, size)]) {
      const times: number[] = [];
      const statements: RunStatement[] = [];
      for (let turn = 0; turn < runs; turn += 1) {
        const began = performance.now();
        await step.run();
        times.push(performance.now() - began);
        statements.push(...plans.take());
      }
      const blocks = statements.reduce(
        (sum, { plan }) => sum + (plan['Shared Hit Blocks'] ?? 0) + (plan['Shared Read Blocks'] ?? 0),
        0,
      );
      const faults = [...new Set(statements.flatMap((statement) => findFaults(statement, rows)))];
      print({ step, times, buffers: Math.round(blocks / runs), faults });
      if (faults.length > 0) isGood = false;
      for (const fault of faults) say(`          ${fault}`);
    }
    if (!isGood) process.exitCode = 1;
    say(
      isGood ? 'No route and no loop reads a growing table through.' : 'Some read a growing table through.',
    );
  } finally {
    await server.stop();
  }
}

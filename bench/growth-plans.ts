import { closeSync, fstatSync, openSync, readSync, statSync } from 'node:fs';
import { Client } from 'pg';
import { z } from 'zod';
import type { PostgresqlService } from '../tests/services/postgresql.ts';

/** One step of a plan as PostgreSQL ran it. */
export interface PlanNode {
  readonly 'Node Type': string;
  readonly 'Relation Name'?: string | undefined;
  readonly 'Actual Rows': number;
  readonly 'Actual Loops': number;
  readonly 'Rows Removed by Filter'?: number | undefined;
  readonly 'Shared Hit Blocks'?: number | undefined;
  readonly 'Shared Read Blocks'?: number | undefined;
  readonly Plans?: readonly PlanNode[] | undefined;
}

/** A statement that ran, with its plan. */
export interface RunStatement {
  readonly milliseconds: number;
  readonly text: string;
  readonly plan: PlanNode;
}

const nodeSchema: z.ZodType<PlanNode> = z.lazy(() =>
  z.object({
    'Node Type': z.string(),
    'Relation Name': z.string().optional(),
    'Actual Rows': z.number().default(0),
    'Actual Loops': z.number().default(0),
    'Rows Removed by Filter': z.number().optional(),
    'Shared Hit Blocks': z.number().optional(),
    'Shared Read Blocks': z.number().optional(),
    Plans: z.array(nodeSchema).optional(),
  }),
);
const entrySchema = z.object({ 'Query Text': z.string(), Plan: nodeSchema });

/** Returns a node and all below it. */
export function nodesOf(plan: PlanNode): readonly PlanNode[] {
  return [plan, ...(plan.Plans ?? []).flatMap(nodesOf)];
}

/** The plans of all statements that a server runs, from its log. */
export interface PlanLog {
  /** From now on. Connections made before `openPlanLog` are left out. */
  start(): Promise<void>;
  /** Returns what ran since the last call. */
  take(): readonly RunStatement[];
}

/** Prepares a server for telling the plan of every statement; `isSeqscanDiscouraged` makes it avoid what can be avoided. */
export async function openPlanLog(
  server: PostgresqlService,
  { isSeqscanDiscouraged }: { readonly isSeqscanDiscouraged: boolean },
): Promise<PlanLog> {
  const configure = async (settings: Readonly<Record<string, string>>): Promise<void> => {
    const client = new Client({ connectionString: server.url });
    await client.connect();
    await client.query("load 'auto_explain'");
    for (const [name, value] of Object.entries(settings)) {
      await client.query(`alter system set ${name} = '${value}'`);
    }
    await client.query('select pg_reload_conf()');
    await client.end();
  };
  await configure({
    session_preload_libraries: 'auto_explain',
    'auto_explain.log_format': 'json',
    'auto_explain.log_analyze': 'on',
    'auto_explain.log_buffers': 'on',
    'auto_explain.log_timing': 'off',
    max_parallel_workers_per_gather: '0',
  });
  let offset = 0;
  return {
    async start() {
      await configure({
        'auto_explain.log_min_duration': '0',
        enable_seqscan: isSeqscanDiscouraged ? 'off' : 'on',
        // Nor is an index read through because few pages are cheaper than few rows.
        random_page_cost: isSeqscanDiscouraged ? '1' : '4',
      });
      offset = statSync(server.logFile).size;
    },
    take() {
      const text = readFrom(server.logFile, offset);
      offset += Buffer.byteLength(text);
      return [...text.matchAll(/LOG: {2}duration: ([\d.]+) ms {2}plan:\n((?:\t.*\n)+)/g)].map((match) => {
        const entry = entrySchema.parse(JSON.parse((match[2] ?? '').replaceAll(/^\t/gm, '')));
        return { milliseconds: Number(match[1]), text: entry['Query Text'], plan: entry.Plan };
      });
    },
  };
}

function readFrom(file: string, offset: number): string {
  const descriptor = openSync(file, 'r');
  try {
    const buffer = Buffer.alloc(fstatSync(descriptor).size - offset);
    readSync(descriptor, buffer, 0, buffer.length, offset);
    return buffer.toString('utf8');
  } finally {
    closeSync(descriptor);
  }
}

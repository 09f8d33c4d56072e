import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { parse } from 'yaml';
import { z } from 'zod';
import { startReactor } from '../../src/app/reactor.ts';
import { loadConfig } from '../../src/config.ts';
import { createLog } from '../../src/log.ts';
import { makeDataDirectory } from '../database/embedded-snapshot.ts';

const folder = mkdtempSync(join(tmpdir(), 'odcs-monitoring-'));
after(() => rmSync(folder, { recursive: true, force: true }));
const shipped = join(import.meta.dirname, '../../packaging/monitoring');
const dashboardSchema = z.object({
  panels: z.array(
    z.object({ title: z.string(), targets: z.array(z.object({ expr: z.string() })).nonempty() }),
  ),
});
const alertsSchema = z.object({
  groups: z.array(z.object({ rules: z.array(z.object({ alert: z.string(), expr: z.string() })) })),
});

const dashboard = dashboardSchema.parse(
  JSON.parse(readFileSync(join(shipped, 'grafana-dashboard.json'), 'utf8')),
);
const alerts = alertsSchema.parse(parse(readFileSync(join(shipped, 'prometheus-alerts.yaml'), 'utf8')));
const expressions = [
  ...dashboard.panels.flatMap(({ targets }) => targets.map(({ expr }) => expr)),
  ...alerts.groups.flatMap(({ rules }) => rules.map(({ expr }) => expr)),
];

/** The series and the labels that an expression names. */
function seriesOf(expression: string): { readonly name: string; readonly labels: readonly string[] }[] {
  return [...expression.matchAll(/\b((?:odcs|composes|raw_config)_\w+)(?:\{([^}]*)\})?/g)].map(
    ([, name = '', labels = '']) => ({
      name,
      labels: [...labels.matchAll(/(\w+)\s*[=!]/g)].map(([, label = '']) => label),
    }),
  );
}

test('the dashboard and the alerts name only metrics and labels that are exported', async () => {
  const { config } = loadConfig({
    file: undefined,
    environment: {},
    overrides: {
      data_dir: await makeDataDirectory(join(folder, 'data')),
      port: 0,
      rules_dir: join(import.meta.dirname, '../../rules'),
      otlp_endpoint: 'http://127.0.0.1:9',
    },
  });
  await using reactor = await startReactor({ config, log: createLog('silent') });
  const posted = await fetch(`${reactor.url}/api/1/composes/`, { method: 'POST', body: 'no JSON' });
  assert.equal(posted.status, 400);
  const text = await (await fetch(`${reactor.url}/api/1/metrics/`)).text();
  const types = new Map(
    [...text.matchAll(/^# TYPE (\S+) (\S+)$/gm)].map(([, name = '', type = '']) => [name, type]),
  );
  const exported = new Set(
    [...types].flatMap(([name, type]) =>
      type === 'histogram' ? [`${name}_bucket`, `${name}_sum`, `${name}_count`] : [name],
    ),
  );
  const named = expressions.flatMap(seriesOf);
  assert.ok(named.length > 40);
  assert.deepEqual(
    named.map(({ name }) => name).filter((name) => !exported.has(name)),
    [],
  );
  // Of what has a value already the labels are known too; `instance` is Prometheus' own.
  for (const { name, labels } of named) {
    const line = new RegExp(`^${name}\\{([^}]*)\\}`, 'm').exec(text)?.[1];
    for (const label of line === undefined ? [] : labels.filter((label) => label !== 'instance')) {
      assert.match(line ?? '', new RegExp(`\\b${label}="`), `${name} has no label ${label}`);
    }
  }
  for (const stage of ['enrich', 'match', 'settle', 'decide', 'plan', 'announce']) {
    assert.ok(text.includes(`odcs_stage_waiting{stage="${stage}"} 0`), stage);
    assert.ok(text.includes(`odcs_stage_oldest_seconds{stage="${stage}"} 0`), stage);
  }
  assert.match(text, /^odcs_stage_seconds_count\{stage="request",outcome="ok"\} 1$/m);
  assert.match(text, /^odcs_process_memory_bytes\{of="resident"\} \d{7,}$/m);
  assert.match(text, /^odcs_process_cpu_seconds_total \d/m);
});

test('every metric of the service is on the dashboard or in an alert, or is left out for a reason', () => {
  const leftOut = new Set([
    'odcs_messages_doubled_total',
    'odcs_messages_redelivered_total',
    'odcs_bus_connections_total',
    'odcs_messages_storing_seconds',
    'odcs_storage_free_inodes',
  ]);
  const page = readFileSync(join(import.meta.dirname, '../../docs/operations.md'), 'utf8');
  const documented = [...page.matchAll(/^\| ((?:`\w+`(?:, )?)+) \|/gm)].flatMap(([, cell = '']) =>
    [...cell.matchAll(/`(odcs_\w+)`/g)].map(([, name = '']) => name),
  );
  assert.ok(documented.length > 20);
  const shown = expressions.join('\n');
  const missing = documented.filter((name) => !leftOut.has(name) && !shown.includes(name));
  assert.deepEqual(missing, []);
});

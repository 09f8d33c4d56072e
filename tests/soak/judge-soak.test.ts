// Runs once: nothing here has a database.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatSoak } from './format-soak.ts';
import { judgeSoak, type LatencyName, type SoakRun, type SoakSample } from './judge-soak.ts';

const SECONDS = 600;

/** A run that stays as it is: ten things a second, five rows each. */
function steadySample(at: number): SoakSample {
  return {
    at,
    memory: { service: 200, composer: 150 },
    handles: { service: 50, composer: 40 },
    rows: { events: at * 50, series: 3 },
    databaseMib: 20 + at / 100,
    diskMib: 30,
    waiting: 4 + (at % 20),
    work: at * 10,
  };
}

function steadyMs(): number {
  return 50;
}

function makeRun({
  change = (sample) => sample,
  msOf = steadyMs,
}: {
  readonly change?: (sample: SoakSample) => SoakSample;
  readonly msOf?: (name: LatencyName, at: number) => number;
} = {}): SoakRun {
  const seconds = Array.from({ length: SECONDS / 10 + 1 }, (_none, index) => index * 10);
  return {
    first: [120, 210],
    last: [490, 600],
    samples: seconds.map((at) => change(steadySample(at))),
    latencies: seconds.flatMap((at) =>
      (['request', 'compose', 'event'] as const).map((name) => ({ name, at, ms: msOf(name, at) })),
    ),
  };
}

function brokenBounds(run: SoakRun): readonly string[] {
  return judgeSoak(run).flatMap(({ name, isHeld }) => (isHeld ? [] : [name]));
}

test('a run that stays as it is holds every bound', () => {
  assert.deepEqual(brokenBounds(makeRun()), []);
  assert.equal(judgeSoak(makeRun()).length, 2 + 2 + 1 + 1 + 1 + 2 + 3);
});

for (const [what, broken, change] of [
  [
    'memory that grows by twenty MiB a minute',
    ['memory of service'],
    (sample) => ({ ...sample, memory: { ...sample.memory, service: 200 + sample.at / 3 } }),
  ],
  [
    'a socket that is lost every ten seconds',
    ['handles of composer'],
    (sample) => ({ ...sample, handles: { ...sample.handles, composer: 40 + sample.at / 10 } }),
  ],
  ['a disk that is never cleared', ['disk'], (sample) => ({ ...sample, diskMib: sample.at / 4 })],
  [
    'a crowd that is never worked off',
    ['what waits'],
    (sample) => ({ ...sample, waiting: sample.waiting + (sample.at > 300 ? 15 : 0) }),
  ],
  [
    'rows that are written oftener and oftener for one thing',
    ['rows of series'],
    (sample) => ({ ...sample, rows: { ...sample.rows, series: sample.at ** 2 / 40 } }),
  ],
  [
    'a database that grows more and more',
    ['database'],
    (sample) => ({ ...sample, databaseMib: sample.at ** 2 / 2_000 }),
  ],
] as const satisfies readonly [string, string[], (sample: SoakSample) => SoakSample][]) {
  test(`${what} does not hold`, () => {
    assert.deepEqual(brokenBounds(makeRun({ change })), broken);
  });
}

for (const [name, bound] of [
  ['request', 'requests'],
  ['compose', 'composes'],
  ['event', 'events'],
] as const) {
  test(`${bound} that take ever longer do not hold`, () => {
    const run = makeRun({ msOf: (latency, at) => (latency === name ? 50 + at * 20 : 50) });
    assert.deepEqual(brokenBounds(run), [bound]);
  });
}

test('a spike of memory between the calm parts is nothing, one in the last part is something', () => {
  const spikeAt = (from: number, to: number): SoakRun =>
    makeRun({
      change: (sample) =>
        sample.at >= from && sample.at <= to
          ? { ...sample, memory: { ...sample.memory, service: 900 } }
          : sample,
    });
  assert.deepEqual(brokenBounds(spikeAt(300, 400)), []);
  assert.deepEqual(brokenBounds(spikeAt(500, 500)), ['memory of service']);
});

test('a part that nothing was measured in does not hold', () => {
  const run = makeRun();
  const samples = run.samples.filter(({ at }) => at < 400);
  const latencies = run.latencies.filter(({ name }) => name !== 'event');
  const broken = brokenBounds({ ...run, samples, latencies });
  assert.ok(broken.includes('memory of service') && broken.includes('disk') && broken.includes('events'));
  assert.ok(!broken.includes('requests'));
});

test('a report names what was wrong and marks each bound that does not hold', () => {
  const bounds = judgeSoak(makeRun({ change: (sample) => ({ ...sample, diskMib: sample.at / 4 }) }));
  const wrong = {
    lost: 0,
    doubled: 0,
    stuck: 1,
    failed: 0,
    halfPublished: 0,
    leftovers: 0,
    deadJobs: 0,
    messagesLost: 0,
    messagesDoubled: 0,
    messagesUnjudged: 0,
    requestsRefused: 0,
  };
  const done = { seconds: SECONDS, seed: 1, faults: 12, messages: 10, composes: 2, requests: 30 };
  const text = formatSoak({ ...done, wrong, bounds, isClean: false });
  assert.match(text, /^WRONG stuck: 1$/m);
  assert.match(text, /^! disk/m);
  assert.match(text, /^ {2}memory of service/m);
  assert.doesNotMatch(text, /rows of series/);
  assert.match(text, /NOT CLEAN\n$/);
});

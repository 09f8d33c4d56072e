import { Histogram, type Registry } from 'prom-client';
import type { StageObserver } from '../../instrument.ts';
import type { Log } from '../../log.ts';

/** Seconds: from the translation of a message to a main compose. */
const buckets = [0.001, 0.005, 0.02, 0.1, 0.5, 2, 10, 60, 600, 3600];

/** Creates what counts stages in a histogram and says each in the log at level `debug`. */
export function createStageMetrics(registry: Registry, log: Log): StageObserver {
  const histogram = new Histogram({
    name: 'odcs_stage_seconds',
    help: 'How long each stage from message to announcement took, by how it ended.',
    labelNames: ['stage', 'outcome'],
    buckets,
    registers: [registry],
  });
  return {
    traceRatio: null,
    stageEnded({ stage, fields, seconds, isFailed, spans }) {
      histogram.observe({ stage, outcome: isFailed ? 'failed' : 'ok' }, seconds);
      if (!log.isLevelEnabled('debug')) return;
      const [span] = spans;
      const trace = span === undefined ? {} : { trace: span.traceId };
      log.debug({ ...fields, ...trace, stage, seconds, isFailed }, 'a stage ended');
    },
  };
}

import type { StageTime, StageTimes } from '../../src/model/stage-times.ts';

const stage = (name: string, from: number, to: number | null, isFailed = false): StageTime => ({
  stage: name,
  from,
  to,
  isFailed,
});

const planned = [
  stage('plan', 0, 11_400),
  stage('plan.read', 40, 5_200),
  stage('plan.index', 2_100, 4_900),
  stage('plan.gather', 5_260, 10_700),
  stage('plan.manifest', 10_730, 11_300),
];

/** What the time of seeded composes went into. */
export const seededStages = {
  done: [
    ...planned,
    stage('place', 11_600, 30_200),
    stage('repodata', 11_700, 38_100),
    stage('metadata', 38_150, 40_900),
    stage('publish', 41_000, 41_700),
  ],
  running: [...planned, stage('place', 11_600, 52_000), stage('repodata', 11_700, null)],
  failed: [stage('plan', 0, 23_800, true), stage('plan.read', 40, 23_700, true)],
} as const;

/** Returns what notes the stages of an attempt that began at a time. */
export function stagesOf(begun: Date, stages: readonly StageTime[]): { times(): StageTimes } {
  return { times: () => ({ begun: begun.toISOString(), stages }) };
}

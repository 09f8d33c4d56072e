import type { Database } from '../database/database.ts';
import { noteReadersOfRules } from '../database/private-rules.ts';
import { noteRunningSet } from '../database/rule-sets.ts';
import { rulesWithoutTag } from '../database/rule-groups.ts';
import { seriesState } from '../database/compose-requests.ts';
import { noteKeepOfRules } from '../database/series.ts';
import { transaction } from '../database/transaction.ts';
import { closeWindowsOf, rulesWithOpenWindows } from '../database/windows.ts';
import { ageWaitingWork } from '../lifecycle/age-waiting-work.ts';
import type { Log } from '../log.ts';
import { ReactorError } from '../model/errors.ts';
import type { RuleSet } from '../model/rule.ts';
import { decideClosedWindow } from './decide-window.ts';
import { keepOfRules } from './keep-of-rules.ts';
import { matchEvents } from './match-event.ts';
import { postWebhook } from '../upstream/post-webhook.ts';
import { notifyDecision } from './notify.ts';
import { runRuleClocks } from './reconcile.ts';
import { emptyRuleSet, followRules, type LiveRules } from './reload.ts';
import { resendLostWork } from './resend-lost-work.ts';
import type { FileProblem } from '../model/file-problem.ts';
import type { StateSources } from './require.ts';
import { startWindowCloser } from './window-closer.ts';

/** What the role needs of the process it runs in. */
export interface RulesContext {
  readonly database: Database;
  readonly log: Log;
  /** Directory of rule files. */
  readonly rulesDir: string;
  /** What state checks and sweeps may ask; systems that are not configured are left out. */
  readonly sources: StateSources;
  /** How often what was lost is looked for, in milliseconds. */
  readonly upkeepMs?: number;
}

/** The running role. */
export interface RunningRules extends AsyncDisposable {
  /** The rules that run now. */
  readonly set: RuleSet;
  /** Why the directory's present content does not run; empty when it does. For health. */
  readonly problems: readonly FileProblem[];
  /** Rules whose Koji tag was not there when it was last looked for. For health. */
  readonly withoutTag: readonly { readonly rule: string; readonly goneAt: Date }[];
  /** Reads the rule files now. */
  reload(): Promise<boolean>;
  stop(): Promise<void>;
}

const RELOAD_MS = 5000;
const CLOCKS_MS = 30_000;
const UPKEEP_MS = 60_000;
const CONCURRENCY = 4;
const MATCH_BATCH = 100;

/**
 * Starts the rules role: follows the rule files, matches stored events, closes and decides windows, makes ticks
 * and sweeps. Any number of processes may run it against one database.
 */
export async function startRules(context: RulesContext): Promise<RunningRules> {
  const { database, log } = context;
  const { kysely, jobs, clock } = database;
  const sources: StateSources = {
    ...context.sources,
    composes: context.sources.composes ?? { seriesState: (series) => seriesState(kysely, series) },
  };
  const onError = (error: unknown): void => log.warn({ err: error }, 'rules: a background task failed');
  const closeOrphans = async (set: RuleSet): Promise<void> => {
    const living = new Set(set.rules.filter(({ mode }) => mode !== 'off').map(({ name }) => name));
    const gone = (await rulesWithOpenWindows(kysely)).filter((rule) => !living.has(rule));
    await transaction(database, (tx) => closeWindowsOf(tx, gone));
  };
  let hasChanged = (): void => undefined;
  const live = await followRules({
    directory: context.rulesDir,
    pollMs: RELOAD_MS,
    onChange: (set) => {
      log.info({ version: set.version, rules: set.rules.length }, 'rules: a new set runs');
      closeOrphans(set).catch(onError);
      hasChanged();
    },
    onProblems: (lines) => {
      log.error({ problems: lines }, 'rules: the files are wrong, the last good set runs on');
      hasChanged();
    },
  });
  const noteSet = async (): Promise<void> => {
    const { current, documents, problems } = live;
    if (current === emptyRuleSet) return;
    await noteReadersOfRules(kysely, current.rules);
    await noteRunningSet(kysely, { version: current.version, documents, problems }, clock.now());
    await noteKeepOfRules(kysely, keepOfRules(current.rules));
  };
  hasChanged = () => void setImmediate(() => noteSet().catch(onError));
  await noteSet();
  const closer = startWindowCloser({ database, onError });
  await jobs.workTogether('event.match', {
    concurrency: CONCURRENCY,
    batch: MATCH_BATCH,
    handleAll: async (jobs) => {
      assertLoaded(live);
      const ids = jobs.map(({ eventId }) => eventId);
      const due = await matchEvents({ database, rules: live.current }, ids);
      if (due !== null) closer.wakeAt(due);
    },
    onError: (_name, data, error) =>
      log.warn({ err: error, event: data.eventId }, 'rules: an event was not matched'),
  });
  await jobs.work('window.close', {
    concurrency: CONCURRENCY,
    handleJob: async ({ windowId }) => {
      assertLoaded(live);
      const outcome = await decideClosedWindow(
        {
          database,
          rules: live.current,
          sources,
          onPause: (rule, why) =>
            log.warn({ rule: rule.name, owner: rule.owner, why }, 'rules: a rule paused itself'),
        },
        windowId,
      );
      if (outcome !== null) log.info({ window: windowId, outcome }, 'rules: a window was decided');
    },
    onError: (_name, data, error) =>
      log.warn({ err: error, window: data.windowId }, 'rules: a window was not decided'),
  });
  await jobs.work('rule.notify', {
    concurrency: 1,
    handleJob: async (data) => {
      assertLoaded(live);
      await notifyDecision({ database, rules: live.current }, data);
    },
    onError: (_name, data, error) =>
      log.warn({ err: error, decision: data.decisionId }, 'rules: a decision was not told'),
  });
  await jobs.work('rule.webhook', {
    concurrency: CONCURRENCY,
    handleJob: (call) => postWebhook(call),
    onError: (_name, data, error) => log.warn({ err: error, url: data.url }, 'rules: a webhook was not told'),
  });
  const clocks = startClocks(context, live, sources, onError);
  let agedAt = clock.now();
  let withoutTag: RunningRules['withoutTag'] = [];
  const upkeep = repeat(context.upkeepMs ?? UPKEEP_MS, onError, async () => {
    const now = clock.now();
    await ageWaitingWork(database, agedAt);
    agedAt = now;
    withoutTag = await rulesWithoutTag(kysely);
    await noteSet();
    await resendLostWork(database);
  });
  const stop = async (): Promise<void> => {
    await Promise.all([clocks.stop(), upkeep.stop(), closer.stop()]);
    await live[Symbol.asyncDispose]();
  };
  return {
    get set() {
      return live.current;
    },
    get problems() {
      return live.problems;
    },
    get withoutTag() {
      return withoutTag.filter(({ rule }) => live.current.rules.some(({ name }) => name === rule));
    },
    reload: () => live.reload(),
    stop,
    [Symbol.asyncDispose]: stop,
  };
}

/** Until a first good set was read nothing is judged: events and windows wait instead of meeting no rule. */
function assertLoaded(live: LiveRules): void {
  if (live.current !== emptyRuleSet) return;
  throw new ReactorError('rules.not_loaded', 'No good set of rule files has been read yet.', {
    fate: 'retry',
  });
}

interface Repeating {
  stop(): Promise<void>;
}

function startClocks(
  context: RulesContext,
  live: LiveRules,
  sources: StateSources,
  onError: (error: unknown) => void,
): Repeating {
  const { database, log } = context;
  const { clock } = database;
  let isStart = true;
  return repeat(0, onError, async () => {
    const next = await runRuleClocks({
      database,
      rules: live.current,
      sources,
      isStart,
      onError: (rule, error) => log.warn({ err: error, rule: rule.name }, 'rules: a sweep was not made'),
    });
    isStart = false;
    return next === null
      ? CLOCKS_MS
      : Math.min(CLOCKS_MS, Math.max(100, next.getTime() - clock.now().getTime()));
  });
}

/** Does something again and again, waiting as long as it answers (or `everyMs`) in between. */
function repeat(
  everyMs: number,
  onError: (error: unknown) => void,
  work: () => Promise<number | void>,
): Repeating {
  let timer: NodeJS.Timeout | undefined;
  let isStopped = false;
  let running: Promise<void> | null = null;
  const schedule = (delay: number): void => {
    if (isStopped) return;
    timer = setTimeout(() => {
      running = turn();
    }, delay);
  };
  const turn = async (): Promise<void> => {
    let delay = everyMs === 0 ? 1000 : everyMs;
    try {
      delay = (await work()) ?? delay;
    } catch (error) {
      onError(error);
    }
    schedule(delay);
  };
  schedule(everyMs);
  return {
    async stop() {
      isStopped = true;
      clearTimeout(timer);
      await running;
    },
  };
}

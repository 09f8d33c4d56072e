import { AsyncLocalStorage } from 'node:async_hooks';
import { randomBytes } from 'node:crypto';
import { formatTraceParent, parseTraceParent, type TraceParent } from './model/trace-parent.ts';

/** The stages on the way from a message, or a request, to the announcement of its compose. */
export type Stage =
  | 'receive'
  | 'translate'
  | 'enrich'
  | 'match'
  | 'settle'
  | 'require'
  | 'decide'
  | 'request'
  | 'plan'
  | 'plan.read'
  | 'plan.index'
  | 'plan.gather'
  | 'plan.manifest'
  | 'place'
  | 'repodata'
  | 'metadata'
  | 'sign'
  | 'discs'
  | 'delegate'
  | 'publish'
  | 'announce';

/** What a stage worked on. */
export type StageFields = Readonly<Record<string, string | number | boolean>>;

/** One stage of one trace. */
export interface Span extends TraceParent {
  /** Null where the trace begins here. */
  readonly parentId: string | null;
  /** What else led here. */
  readonly links: readonly TraceParent[];
}

/** A stage that has ended. */
export interface EndedStage {
  readonly stage: Stage;
  readonly fields: StageFields;
  /** Milliseconds since 1970. */
  readonly startedAt: number;
  readonly seconds: number;
  readonly isFailed: boolean;
  /** One for every trace that went through it, of those that are kept. */
  readonly spans: readonly Span[];
}

/** Who is told of every stage of this process. */
export interface StageObserver {
  /** The share of the traces that begin here which is kept, 0 to 1; null where spans are of no use to it. */
  readonly traceRatio: number | null;
  stageEnded(ended: EndedStage): void;
}

/** Who is told of the stages of one piece of work, and of nothing else of this process. */
export interface StageNotes {
  /** Notes that a stage begins; what it returns is called when it ends. */
  begin(stage: Stage): (isFailed: boolean) => void;
}

interface TraceContext {
  readonly parents: readonly TraceParent[];
  readonly links: readonly TraceParent[];
}

const untraced: TraceContext = { parents: [], links: [] };
const current = new AsyncLocalStorage<TraceContext>();
const notes = new AsyncLocalStorage<StageNotes | undefined>();
const observers = new Set<StageObserver>();
/** Greatest ratio of the observers; null where none wants spans. */
let traceRatio: number | null = null;

/** Lets an observer hear of every stage of this process until disposed. */
export function observeStages(observer: StageObserver): Disposable {
  const count = (): void => {
    const ratios = [...observers].flatMap((observer) => observer.traceRatio ?? []);
    traceRatio = ratios.length === 0 ? null : Math.max(...ratios);
  };
  observers.add(observer);
  count();
  return {
    [Symbol.dispose]() {
      observers.delete(observer);
      count();
    },
  };
}

/** Runs `work` and lets `taken` note every stage that is begun in it. */
export function withStageNotes<T>(taken: StageNotes, work: () => T): T {
  return notes.run(taken, work);
}

/**
 * Runs a stage and calls the observers with how long it took and how it ended. What it stores and sends meanwhile belongs to
 * its span. Throws what `work` throws.
 */
export async function instrument<T>(stage: Stage, fields: StageFields, work: () => Promise<T>): Promise<T> {
  if (isUnobserved()) return work();
  const begun = begin(stage, fields);
  try {
    const value = await begun.run(work);
    begun.end(false);
    return value;
  } catch (error) {
    begun.end(true);
    throw error;
  }
}

/** Runs a stage that waits for nothing, as `instrument` does. Throws what `work` throws. */
export function instrumentNow<T>(stage: Stage, fields: StageFields, work: () => T): T {
  if (isUnobserved()) return work();
  const begun = begin(stage, fields);
  let isFailed = true;
  try {
    const value = begun.run(work);
    isFailed = false;
    return value;
  } finally {
    begun.end(isFailed);
  }
}

/** Notes a stage that nobody of this process waited through, for the observers. */
export function noteStage(
  stage: Stage,
  fields: StageFields,
  { from, to }: { readonly from: Date; readonly to: Date },
): void {
  if (observers.size === 0) return;
  const seconds = Math.max(0, to.getTime() - from.getTime()) / 1000;
  const { spans } = openSpans();
  tell({ stage, fields, startedAt: from.getTime(), seconds, isFailed: false, spans: kept(spans) });
}

/**
 * Runs `work` as a part of what these `traceparent`s name; where none of them is one, of what it is called in. The rest
 * that `links` name is told of as well, once.
 */
export function withTrace<T>(
  traces: readonly (string | null | undefined)[],
  work: () => T,
  links: readonly (string | null | undefined)[] = [],
): T {
  const parents = traces.flatMap((trace) => parseTraceParent(trace) ?? []);
  if (parents.length === 0) return work();
  return current.run({ parents, links: links.flatMap((link) => parseTraceParent(link) ?? []) }, work);
}

/** Runs `work` as a part of no trace and no notes: what serves all who come, but was begun for one of them. */
export function outsideTrace<T>(work: () => T): T {
  const unnoted = notes.getStore() === undefined ? work : (): T => notes.run(undefined, work);
  return current.getStore() === undefined ? unnoted() : current.run(untraced, unnoted);
}

/** Returns the `traceparent` of what is running, to be stored or sent with it; null where it is of no trace. */
export function currentTrace(): string | null {
  const [first] = current.getStore()?.parents ?? [];
  return first === undefined ? null : formatTraceParent(first);
}

function isUnobserved(): boolean {
  return observers.size === 0 && notes.getStore() === undefined;
}

function begin(
  stage: Stage,
  fields: StageFields,
): { run<R>(work: () => R): R; end(isFailed: boolean): void } {
  const { spans, isTraced } = openSpans();
  const startedAt = isTraced ? Date.now() : 0;
  const start = performance.now();
  const noteEnd = notes.getStore()?.begin(stage);
  return {
    run: (work) => (isTraced ? current.run({ parents: spans, links: [] }, work) : work()),
    end(isFailed) {
      const seconds = (performance.now() - start) / 1000;
      noteEnd?.(isFailed);
      tell({ stage, fields, startedAt, seconds, isFailed, spans: kept(spans) });
    },
  };
}

/** A child of each trace that leads here; of none, where somebody wants spans, the beginning of one. */
function openSpans(): { readonly spans: readonly Span[]; readonly isTraced: boolean } {
  if (traceRatio === null) return { spans: [], isTraced: false };
  const { parents, links } = current.getStore() ?? untraced;
  if (parents.length > 0) {
    const spans = parents.map(({ traceId, spanId: parentId, isSampled }) => ({
      traceId,
      spanId: newId(8),
      isSampled,
      parentId,
      links,
    }));
    return { spans, isTraced: true };
  }
  const isSampled = Math.random() < traceRatio;
  const root = { traceId: newId(16), spanId: newId(8), isSampled, parentId: null, links };
  return { spans: [root], isTraced: true };
}

function kept(spans: readonly Span[]): readonly Span[] {
  return spans.every(({ isSampled }) => isSampled) ? spans : spans.filter(({ isSampled }) => isSampled);
}

function tell(ended: EndedStage): void {
  for (const observer of observers) observer.stageEnded(ended);
}

/** Random hexadecimal digits, drawn many at a time: to draw a few costs as much. */
let digits = '';
let digitsUsed = 0;
const DRAWN_BYTES = 4096;

function newId(bytes: number): string {
  const end = digitsUsed + bytes * 2;
  if (end > digits.length) {
    digits = randomBytes(DRAWN_BYTES).toString('hex');
    digitsUsed = 0;
    return newId(bytes);
  }
  const id = digits.slice(digitsUsed, end);
  digitsUsed = end;
  return id;
}

import { sourceTypes } from '../source-types.ts';
import {
  bitSum,
  composeDirectoryName,
  composeFlags,
  composeResults,
  composeStates,
  multilibMethods,
  type ComposeFlag,
  type ComposeRequest,
  type ComposeResult,
  type ComposeState,
} from './compose.ts';
import type { AnnouncedImages } from './image-changes.ts';
import type { AnnouncedAdvisories } from './new-advisories.ts';
import type { Readers } from './readers.ts';
import { tagOptionsJson } from './tag-options.ts';
import { targetDirUrlOf, type TargetDirUrls } from './target-dir-urls.ts';

/** One compose as the database knows it. */
export interface Compose {
  readonly id: number;
  readonly owner: string;
  readonly request: ComposeRequest;
  /** Blank joined; as asked until the inputs are pinned, then as pinned. */
  readonly source: string;
  readonly state: ComposeState;
  readonly stateReason: string | null;
  readonly timeSubmitted: Date;
  readonly timeToExpire: Date;
  readonly timeStarted: Date | null;
  readonly timeDone: Date | null;
  readonly timeRemoved: Date | null;
  readonly removedBy: string | null;
  readonly kojiEvent: number | null;
  readonly arches: string;
  readonly sigkeys: string;
  readonly label: string | null;
  readonly composeType: string;
  readonly respinOf: string | null;
  readonly pungiComposeId: string | null;
  readonly targetDir: string;
  readonly reusedId: number | null;
  readonly fingerprint: string | null;
  readonly priority: string;
  readonly series: string | null;
  readonly requestId: number | null;
  readonly cancelRequestedBy: string | null;
  /** How many attempts have taken it; the last one holds it while it is being made. */
  readonly attempt: number;
  readonly progress: {
    readonly stage: string;
    readonly done: number;
    readonly total: number;
    readonly unit: string;
  } | null;
  readonly warnings: readonly string[];
  /** What is new since the compose before it in its series; null where there is none, or it is not known. */
  readonly newAdvisories: AnnouncedAdvisories | null;
  /** The images of its series that it changes; null where there are none, or it is not planned. */
  readonly changedImages: AnnouncedImages | null;
  /** Who may read it beside its owner; null for everybody. */
  readonly readers: Readers | null;
}

/** The 42 keys every ODCS client knows. Source: ODCS contract 2. */
export type ComposeJson = ReturnType<typeof composeJson>;

function formatTime(time: Date): string {
  return `${time.toISOString().slice(0, 19)}Z`;
}

function formatTimeOrNull(time: Date | null): string | null {
  return time === null ? null : formatTime(time);
}

function joinOrNull(list: readonly string[] | null): string | null {
  return list === null ? null : list.join(' ');
}

/** `names` in the order of the table, without those of value 0 other than the always present. */
function inOrder<K extends string>(table: Readonly<Record<K, number>>, names: readonly K[]): K[] {
  return (Object.keys(table) as K[]).filter((name) => names.includes(name) && table[name] !== 0);
}

/**
 * Returns a compose as ODCS shows it in lists, answers and messages; keys sorted. URLs are empty where its target
 * directory has no public address, and a target directory that is no longer configured is `unknown`. Source: ODCS contract 2.
 */
export function composeJson(compose: Compose, urls: TargetDirUrls) {
  const { request } = compose;
  const targetDirUrl = targetDirUrlOf(urls, compose.targetDir);
  const toplevelUrl = targetDirUrl ? `${targetDirUrl}/${composeDirectoryName(compose)}` : '';
  const hasRepository = toplevelUrl !== '' && request.sourceType !== 'raw_config';
  const resultRepo = hasRepository ? `${toplevelUrl}/compose/Temporary` : '';
  return {
    arches: compose.arches,
    base_module_br_name: request.baseModule.name,
    base_module_br_stream: request.baseModule.stream,
    base_module_br_stream_version_gte: request.baseModule.streamVersionGte,
    base_module_br_stream_version_lte: request.baseModule.streamVersionLte,
    builds: joinOrNull(request.builds),
    compose_type: compose.composeType,
    flags: inOrder<ComposeFlag>(composeFlags, request.flags),
    id: compose.id,
    koji_event: compose.kojiEvent,
    koji_task_id: null,
    label: compose.label,
    lookaside_repos: request.lookasideRepos.join(' '),
    modular_koji_tags: joinOrNull(request.modularKojiTags),
    module_defaults_url:
      request.moduleDefaults === null
        ? null
        : `${request.moduleDefaults.url} ${request.moduleDefaults.commit}`,
    modules: joinOrNull(request.modules),
    multilib_arches: request.multilibArches.join(' '),
    multilib_method: bitSum(multilibMethods, request.multilibMethods),
    owner: compose.owner,
    packages: joinOrNull(request.packages),
    parent_pungi_compose_ids: joinOrNull(request.parentPungiComposeIds),
    pungi_compose_id: compose.pungiComposeId,
    ...(compose.readers === null ? {} : { readers: compose.readers }),
    removed_by: compose.removedBy,
    respin_of: compose.respinOf,
    result_repo: resultRepo,
    result_repofile: hasRepository ? `${resultRepo}/${composeDirectoryName(compose)}.repo` : '',
    results: inOrder<ComposeResult>(composeResults, request.results),
    scratch_build_tasks: joinOrNull(request.scratchBuildTasks),
    scratch_modules: joinOrNull(request.scratchModules),
    sigkeys: compose.sigkeys,
    source: compose.source,
    source_type: sourceTypes[request.sourceType],
    state: composeStates[compose.state],
    state_name: compose.state,
    state_reason: compose.stateReason,
    ...(request.tagOptions === undefined ? {} : { tag_options: tagOptionsJson(request.tagOptions) }),
    target_dir: targetDirUrl === undefined ? 'unknown' : compose.targetDir,
    time_done: formatTimeOrNull(compose.timeDone),
    time_removed: formatTimeOrNull(compose.timeRemoved),
    time_started: formatTimeOrNull(compose.timeStarted),
    time_submitted: formatTime(compose.timeSubmitted),
    time_to_expire: formatTime(compose.timeToExpire),
    toplevel_url: toplevelUrl,
  };
}

/** Returns what is told beside a compose, where it is known: what is new since the one before it, and which images it changes. */
export function newsOfCompose({ newAdvisories, changedImages }: Compose): object {
  return {
    ...(newAdvisories === null ? {} : { new_advisories: newAdvisories }),
    ...(changedImages === null ? {} : { changed_images: changedImages }),
  };
}

/** A compose as JSON keeps it: times are texts in ISO 8601. Earlier versions wrote neither of the first two. */
export type StoredCompose = Partial<Pick<Compose, 'newAdvisories' | 'changedImages'>> & {
  readonly [K in Exclude<keyof Compose, 'newAdvisories' | 'changedImages'>]: Compose[K] extends Date
    ? string
    : Compose[K] extends Date | null
      ? string | null
      : Compose[K];
};

/** Returns the compose that was written as JSON. */
export function reviveCompose(stored: StoredCompose): Compose {
  const time = (text: string | null): Date | null => (text === null ? null : new Date(text));
  return {
    ...stored,
    newAdvisories: stored.newAdvisories ?? null,
    changedImages: stored.changedImages ?? null,
    // Announcements of earlier versions do not say.
    readers: stored.readers ?? null,
    timeSubmitted: new Date(stored.timeSubmitted),
    timeToExpire: new Date(stored.timeToExpire),
    timeStarted: time(stored.timeStarted),
    timeDone: time(stored.timeDone),
    timeRemoved: time(stored.timeRemoved),
  };
}

import type { CacheRegistry } from '../../cache/cache-registry.ts';
import type { Config } from '../../config.ts';
import type { DatabaseHandle } from '../../database/database-handle.ts';
import type { SourceTypeRules } from '../../model/source-type-rules.ts';
import type { ReadUrl } from '../../rpm/repodata/location.ts';
import type { DocumentType } from '../documents/document-type.ts';
import type { AdvisoryFinder } from '../koji/advisory-finder.ts';
import type { Koji } from '../koji/koji.ts';
import type { HttpClient } from '../../upstream/http/http-client.ts';
import type { ModuleResources } from '../modules/select-modules.ts';
import type { OpenPlace } from '../repositories/open-place.ts';
import type { SelectPackages } from '../selection.ts';

/** What sources are opened with: the settings, and what a process has opened already. */
export interface SourceContext {
  readonly config: Config;
  /** Null where Koji is not configured. */
  readonly koji: Koji | null;
  /** Where modules are looked up; null where Koji is not configured. */
  readonly modules: ModuleResources | null;
  /** Where advisories about builds are looked up; null where composes of Koji have none. */
  readonly advisories: AdvisoryFinder | null;
  /** Where composes are looked up; null where nothing is published. */
  readonly kysely: DatabaseHandle | null;
  /** Fetches what requests name, held to `repo_hosts`. */
  readonly http: HttpClient;
  /** Reads the metadata of repositories behind HTTP. */
  readonly readUrl: ReadUrl;
  /** Opens repositories that requests and configurations name. */
  readonly openPlace: OpenPlace;
  /** Name of a target directory to its path. */
  readonly targetDirs: Readonly<Record<string, string>>;
  readonly documentTypes: readonly DocumentType[];
  /** Where it registers what it keeps. */
  readonly caches: Pick<CacheRegistry, 'register'>;
}

/** How the composer opens a source. */
export interface OpenedBy {
  /** Whether it reads the Koji hub that a request names; it is opened for each. */
  readonly isOfHub?: boolean;
  /**
   * Returns the source, or null where the settings do not offer it. Throws where they are wrong. Code beside the
   * definition is imported here and nowhere else: every process reads the definition, only composers open it.
   */
  readonly open: (context: SourceContext) => Promise<SelectPackages | null>;
}

/** All there is to say about a source type: what requests for it are held to, and how it is opened. */
export interface SourceDefinition<Type extends string = string> extends SourceTypeRules, OpenedBy {
  readonly type: Type;
}

/** Returns the definition, with its type kept. */
export function defineSource<Type extends string>(
  definition: SourceDefinition<Type>,
): SourceDefinition<Type> {
  return definition;
}

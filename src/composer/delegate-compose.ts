import { storePungiConfigDump, findPungiConfigDump } from '../database/pungi-config-dumps.ts';
import { transaction } from '../database/transaction.ts';
import { instrument } from '../instrument.ts';
import { GENERATED } from '../lifecycle/claim-fingerprint.ts';
import { GENERATING, moveHeldCompose, type HeldCompose } from '../lifecycle/move-compose.ts';
import { composeJson, type Compose } from '../model/compose-json.ts';
import { ReactorError } from '../model/errors.ts';
import type { ComposeIdentity } from '../rpm/productmd.ts';
import type { ComposerContext } from './composer-context.ts';
import type { Delegate } from './delegate.ts';
import { linkLatest, publishedDirectory } from './publish.ts';
import type { Selection } from './selection.ts';
import { moveLinks } from './move-links.ts';
import type { SeriesLinkContext } from './series-links.ts';
import type { ComposeWatch } from './watch-compose.ts';

type DelegateComposeContext = Pick<ComposerContext, 'database' | 'log'> & SeriesLinkContext;

/** What a compose is handed to another program with. */
export interface DelegatedWork {
  readonly taken: HeldCompose & { readonly compose: Compose };
  readonly delegate: Delegate;
  readonly selection: Pick<Selection, 'pins' | 'remarks' | 'warnings'>;
  readonly identity: ComposeIdentity;
  readonly targetDir: string;
}

/**
 * Has another program make a compose, where people see it: tasks of Koji read its repositories while it is made. Then
 * shows it as done, with the links of its release. Throws what the delegate throws; its directory stays until
 * the compose expires. Source: ODCS contract 16 and 17.
 */
export async function delegateCompose(
  context: DelegateComposeContext,
  { taken, delegate, selection, identity, targetDir }: DelegatedWork,
  watch: Pick<ComposeWatch, 'signal' | 'progress' | 'limitTime'>,
): Promise<void> {
  const { database, targetDirUrls } = context;
  const log = context.log.child({ compose: taken.id, attempt: taken.attempt });
  const { pins } = selection;
  const compose: Compose = { ...taken.compose, source: pins.source, kojiEvent: pins.kojiEvent };
  watch.limitTime(null);
  const nameCompose = async (pungiComposeId: string): Promise<void> => {
    await transaction(database, (tx) =>
      moveHeldCompose(tx, taken, 'pin', { reason: GENERATING, pinned: { pungiComposeId } }),
    );
  };
  const configDump = await findPungiConfigDump(database.kysely, taken.id);
  const made = await instrument('delegate', { compose: taken.id }, () =>
    delegate.make({
      ...watch,
      nameCompose,
      log,
      targetDir,
      directory: publishedDirectory(targetDir, taken.id),
      compose,
      json: composeJson(compose, targetDirUrls),
      identity,
      configDump,
    }),
  );
  watch.signal.throwIfAborted();
  linkLatest(targetDir, taken.id);
  const { pungiComposeId, configDump: newDump } = made;
  const warnings = [...selection.warnings, ...selection.remarks, ...made.warnings];
  await transaction(database, async (tx) => {
    const done = await moveHeldCompose(tx, taken, 'publish', {
      reason: GENERATED,
      pinned: { pungiComposeId, warnings },
    });
    if (done === undefined) {
      throw new ReactorError('compose.ended_elsewhere', 'The compose was ended while it was being made.');
    }
    if (newDump !== null) await storePungiConfigDump(tx.sql, taken.id, newDump);
    await moveLinks(context, tx, done);
  });
}

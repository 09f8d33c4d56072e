import { treePlaces } from '../../rpm/productmd-variant.ts';
import type { Pen } from '../pen.ts';
import { formatRepoclosureLog, repoclosureLogPath } from '../repoclosure-log.ts';
import type { Selection } from '../selection.ts';
import type { ComposePlace } from './write-metadata.ts';

/** Writes a log of every repoclosure of a compose. Source: main compose contract 10. */
export function writeRepoclosureLogs(
  pen: Pen,
  input: {
    readonly selection: Pick<Selection, 'repoclosures' | 'variants'>;
    readonly composeId: string;
    readonly place: ComposePlace;
  },
): void {
  const { selection, composeId, place } = input;
  // Without a public address the command is one to be run in the directory of the compose.
  const url = 'toplevelUrl' in place ? `${place.toplevelUrl}/compose` : 'file://$PWD/compose';
  for (const check of selection.repoclosures) {
    const urlOf = (uid: string): string => {
      const variant = selection.variants.find((one) => one.uid === uid);
      if (variant === undefined) throw new Error(`no variant is called ${uid}`);
      return `${url}/${treePlaces(variant, check.arch).binary.repository}`;
    };
    pen.writeFile(`logs/${repoclosureLogPath(check)}`, formatRepoclosureLog({ composeId, urlOf }, check));
  }
}

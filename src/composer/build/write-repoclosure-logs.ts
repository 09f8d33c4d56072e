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
  for (const check of selection.repoclosures) {
    const urlOf = repositoryUrls(selection, placeUrl(place), check.arch);
    pen.writeFile(`logs/${repoclosureLogPath(check)}`, formatRepoclosureLog({ composeId, urlOf }, check));
  }
}

function placeUrl(place: ComposePlace): string {
  if ('toplevelUrl' in place) return place.toplevelUrl;
  // Without a public address the command is one to be run in the directory of the compose.
  return 'directory' in place ? `file://${place.directory}` : 'file://$PWD';
}

/** Returns what tells the URL of the repository of a variant, of one arch, in a compose at a URL. */
export function repositoryUrls(
  { variants }: Pick<Selection, 'variants'>,
  composeUrl: string,
  arch: string,
): (uid: string) => string {
  return (uid) => {
    const variant = variants.find((variant) => variant.uid === uid);
    if (variant === undefined) throw new Error(`no variant is called ${uid}`);
    return `${composeUrl}/compose/${treePlaces(variant, arch).binary.repository}`;
  };
}

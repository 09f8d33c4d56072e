import type { Attack } from '../attack.ts';
import { blockingFiles } from './blocking-files.ts';
import { endlessAnswers } from './endless-answers.ts';
import { escapingNames } from './escaping-names.ts';
import { forgedIdentities } from './forged-identities.ts';
import { hostileBodies } from './hostile-bodies.ts';
import { hostileHub } from './hostile-hub.ts';
import { hostileMessages } from './hostile-messages.ts';
import { leadingAway } from './leading-away.ts';
import { lyingRepositories } from './lying-repositories.ts';
import { manyReaders } from './many-readers.ts';
import { publishedFiles } from './published-files.ts';
import { rawHttp } from './raw-http.ts';
import { slowXml } from './slow-xml.ts';

/** Every family of attacks, in the order of a round: those that freeze a weak service last. */
export const attacks: readonly Attack[] = [
  escapingNames,
  leadingAway,
  lyingRepositories,
  publishedFiles,
  rawHttp,
  hostileBodies,
  hostileMessages,
  forgedIdentities,
  manyReaders,
  endlessAnswers,
  hostileHub,
  slowXml,
  blockingFiles,
];

import { reviveCompose, type Compose, type StoredCompose } from '../../../src/model/compose-json.ts';
import { defaultRequest } from '../../default-request.ts';

/** A compose of a raw config that has just begun. */
export function givenCompose(more: Partial<StoredCompose> = {}): Compose {
  const time = '2026-11-22T10:00:00Z';
  return reviveCompose({
    id: 7,
    owner: 'somebody',
    request: { ...defaultRequest, sourceType: 'raw_config', source: ['fix#abc'] },
    source: 'fix#abc',
    state: 'generating',
    stateReason: null,
    timeSubmitted: time,
    timeToExpire: time,
    timeStarted: time,
    timeDone: null,
    timeRemoved: null,
    removedBy: null,
    kojiEvent: null,
    arches: 'x86_64',
    sigkeys: '',
    label: null,
    composeType: 'test',
    respinOf: null,
    pungiComposeId: null,
    targetDir: 'default',
    reusedId: null,
    fingerprint: null,
    priority: 'normal',
    series: null,
    requestId: null,
    cancelRequestedBy: null,
    attempt: 1,
    progress: null,
    warnings: [],
    readers: null,
    ...more,
  });
}

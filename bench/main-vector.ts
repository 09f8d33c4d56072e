import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { universe } from '../tests/composer/main/recorded-vectors.ts';
import { openTestComposer } from '../tests/composer/open-test-composer.ts';
import {
  makeConfigurationRepository,
  startMainHub,
  vectorOf,
} from '../tests/composer/sources/raw-config/recorded-configuration.ts';
import { defaultRequest } from '../tests/default-request.ts';
import { openPhaseTable } from './phases.ts';

/** Composes one of the recorded configurations: first, as another release with all headers known, and unchanged. */
export async function measureVector(name: string, say: (line: string) => void): Promise<void> {
  const { definitions, measure } = openPhaseTable(say);
  const endings: (() => unknown)[] = [];
  const after = { after: (end: () => unknown) => void endings.unshift(end) };
  try {
    const hub = await startMainHub(after);
    const repository = makeConfigurationRepository(after);
    const plain = await openTestComposer();
    after.after(() => plain[Symbol.asyncDispose]());
    const profile = join(plain.folder, 'koji.conf');
    writeFileSync(profile, `[fixture]\nserver = ${hub.url}\ntopdir = ${join(universe, 'koji-topdir')}\n`);
    await using composer = await openTestComposer(
      {
        koji_profile: 'fixture',
        koji_config: profile,
        repo_roots: [universe],
        raw_config_urls: {
          fixture: { url: repository.url, config_filename: 'fixture.conf', path: 'configs' },
        },
      },
      definitions,
    );
    const make = async (what: string, commit: string): Promise<void> => {
      const { value: compose } = await measure(`${name}, ${what}`, () =>
        composer.compose({ ...defaultRequest, sourceType: 'raw_config', source: [`fixture#${commit}`] }),
      );
      if (compose.state !== 'done') throw new Error(compose.stateReason ?? compose.state);
    };
    const vector = vectorOf(name);
    await make('first', repository.commit(vector));
    const other = repository.commit(vector, (text) => text.replace('"40"', '"41"'));
    await make('another release', other);
    await make('nothing changed', other);
  } finally {
    for (const end of endings) await end();
  }
}

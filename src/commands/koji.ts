import { homedir } from 'node:os';
import { openKojiHttpFiles } from '../composer/koji/koji-http-files.ts';
import { openTopDir, type KojiFiles } from '../composer/koji/koji-files.ts';
import { loadConfig, type Config } from '../config.ts';
import { messageOf, ReactorError } from '../model/errors.ts';
import { nameOfKoji, pickHub, splitHub, type HubName } from '../model/hub-name.ts';
import { getLastEvent } from '../upstream/koji/hub-events.ts';
import { getTag, listTaggedRpms, tagUnknown } from '../upstream/koji/hub-tags.ts';
import { KojiHub } from '../upstream/koji/hub.ts';
import { rpmPath } from '../upstream/koji/koji-path.ts';
import type { TlsIdentity } from '../upstream/http/http-client.ts';
import {
  profilePlaces,
  readKojiProfile,
  readTlsIdentity,
  type KojiProfile,
} from '../upstream/koji/koji-profile.ts';
import { chooseSample, countSigkeys, type SampledRpm } from './koji-sample.ts';
import { bySettings, collect, defineCommand, type ActionContext } from './command.ts';

/** One thing that was checked. `isWell` null: it could not be tried. */
interface Finding {
  readonly what: 'profile' | 'hub' | 'files' | 'tag' | 'keys';
  readonly isWell: boolean | null;
  readonly says: string;
  readonly hint: string | null;
}

interface CheckInput {
  readonly profile: KojiProfile;
  readonly tag: string | null;
  readonly sigkeys: readonly string[];
  readonly signal: AbortSignal;
}

interface Options {
  readonly profile?: string | undefined;
  readonly tag?: string | undefined;
  readonly sigkey?: readonly string[] | undefined;
  readonly config?: string | undefined;
  readonly json?: true | undefined;
}

const about = { name: 'koji', summary: 'Check whether a Koji can be composed from' };

export const command = defineCommand(about, (parser, context, end) => {
  parser
    .command('check')
    .description(
      'say whether a Koji can be composed from: its profile, hub, files, a tag of it, and signing keys; exit code 1 where anything is wrong',
    )
    .option('--profile <name>', 'Koji profile (default: the setting koji_profile, and all of koji_hubs)')
    .option(
      '--tag <tag>',
      'a tag to look into; files and keys are tried with RPMs of it; HUB:TAG looks into the Koji that koji_hubs calls HUB',
    )
    .option(
      '--sigkey <key>',
      'a signing key to look for; more than once (default: the setting sigkeys)',
      collect,
    )
    .option(...bySettings)
    .option('--json', 'one JSON document for each Koji instead of text')
    .action(async (options) => end(await check(context, options)));
});

async function check(context: ActionContext, options: Options): Promise<number> {
  const file = options.config ?? context.environment['ODCS_REACTOR_CONFIG'];
  const { config } = loadConfig({ file, environment: context.environment });
  const home = context.environment['HOME'] ?? homedir();
  const places = profilePlaces(home, config.koji_config);
  const tag = splitHub(options.tag ?? '');
  let isWell = true;
  for (const [hub, name] of profilesToCheck(config, options.profile, tag.hub)) {
    const profile = await attempt('profile', async () =>
      Promise.resolve(readKojiProfile(name, places, home)),
    );
    const findings =
      'finding' in profile
        ? [profile.finding]
        : await checkKoji({
            profile: profile.value,
            tag: hub === tag.hub && tag.name !== '' ? tag.name : null,
            sigkeys: options.sigkey ?? config.sigkeys.filter((key) => key !== ''),
            signal: context.signal,
          });
    print(context, { profile: name, hub, findings }, options.json === true);
    isWell &&= findings.every((finding) => finding.isWell !== false);
  }
  return isWell ? 0 : 1;
}

/** The profiles by hub: the one that was named, else all that are configured. Throws `koji.hub_unknown`. */
function profilesToCheck(
  config: Pick<Config, 'koji_profile' | 'koji_hubs'>,
  named: string | undefined,
  hubOfTag: HubName,
): ReadonlyMap<HubName, string> {
  if (named !== undefined) return new Map([[hubOfTag, named]]);
  const profile = config.koji_profile === '' ? 'koji' : config.koji_profile;
  const profiles = new Map<HubName, string>([[null, profile], ...Object.entries(config.koji_hubs)]);
  pickHub(profiles, hubOfTag);
  return profiles;
}

type Attempt<Value> = { readonly value: Value } | { readonly finding: Finding };

async function attempt<Value>(what: Finding['what'], work: () => Promise<Value>): Promise<Attempt<Value>> {
  try {
    return { value: await work() };
  } catch (error) {
    const where = error instanceof ReactorError && error.where !== undefined ? ` (${error.where})` : '';
    const hint = error instanceof ReactorError ? (error.hint ?? null) : null;
    return { finding: { what, isWell: false, says: `${messageOf(error)}${where}`, hint } };
  }
}

async function checkKoji(input: CheckInput): Promise<readonly Finding[]> {
  const { profile } = input;
  const findings: Finding[] = [
    { what: 'profile', isWell: true, says: `"${profile.name}" from ${profile.files.join(', ')}`, hint: null },
  ];
  const tls = readTlsIdentity(profile);
  using hub = new KojiHub({ url: profile.server, ...tls, patience: { tries: 2, offlineMs: 0 } });
  const reached = await attempt('hub', () => getLastEvent(hub, { signal: input.signal }));
  if ('finding' in reached) findings.push(reached.finding);
  else {
    const event = reached.value;
    const age = event === null ? '' : `; its last event is ${event.id}`;
    findings.push({ what: 'hub', isWell: true, says: `${profile.server} answers${age}`, hint: null });
  }
  const sample = 'finding' in reached ? [] : await checkTag(hub, input, findings);
  await checkFiles(input, tls, sample, findings);
  return findings;
}

async function checkTag(
  hub: KojiHub,
  input: CheckInput,
  findings: Finding[],
): Promise<readonly SampledRpm[]> {
  const { tag, signal } = input;
  if (tag === null) return [];
  const read = await attempt('tag', async () => {
    if ((await getTag(hub, tag, { signal })) === null) throw tagUnknown(hub, tag);
    return listTaggedRpms(hub, { tag, inherit: true, signal });
  });
  if ('finding' in read) {
    findings.push(read.finding);
    return [];
  }
  const { rpms, builds } = read.value;
  const says = `${tag} holds ${rpms.length} RPMs of ${builds.size} builds`;
  const hint =
    rpms.length === 0 ? 'Nothing is tagged, or the package list of the tag is empty or blocked.' : null;
  findings.push({ what: 'tag', isWell: rpms.length > 0, says, hint });
  const sample = chooseSample(read.value);
  if (input.sigkeys.length > 0 && sample.length > 0) {
    const counted = await attempt('keys', () => countSigkeys(hub, sample, input.sigkeys));
    findings.push('finding' in counted ? counted.finding : { what: 'keys', ...counted.value });
  }
  return sample;
}

async function checkFiles(
  { profile, sigkeys }: CheckInput,
  tls: TlsIdentity,
  sample: readonly SampledRpm[],
  findings: Finding[],
): Promise<void> {
  const opened = await attempt('files', async () => Promise.resolve(openFiles(profile, tls)));
  if ('finding' in opened) {
    findings.push(opened.finding);
    return;
  }
  const { files, close } = opened.value;
  try {
    if (sample.length === 0) {
      const says = `${files.where}; nothing was tried, as no RPM of a tag is known`;
      findings.push({ what: 'files', isWell: null, says, hint: 'Name a tag with --tag.' });
      return;
    }
    const tried = await attempt('files', () => lookForSample(files, sample, sigkeys));
    findings.push('finding' in tried ? tried.finding : tried.value);
  } finally {
    close();
  }
}

async function lookForSample(
  files: KojiFiles,
  sample: readonly SampledRpm[],
  sigkeys: readonly string[],
): Promise<Finding> {
  const keys = [null, ...sigkeys];
  const paths = sample.map(({ build, rpm }) => keys.map((key) => rpmPath(build, rpm, key)));
  const looks = await files.look(paths.flat());
  const isThere = (at: number): boolean =>
    looks.slice(at * keys.length, (at + 1) * keys.length).some((look) => look !== null);
  const missing = sample.flatMap((_, at) => (isThere(at) ? [] : [paths[at]?.[0] ?? '']));
  if (missing.length === 0) {
    return {
      what: 'files',
      isWell: true,
      says: `${files.where} has all ${sample.length} RPMs tried`,
      hint: null,
    };
  }
  return {
    what: 'files',
    isWell: false,
    says: `${files.where} lacks ${missing.length} of ${sample.length} RPMs tried, such as ${missing[0]}`,
    hint: 'It may belong to another hub, or a volume is not mounted.',
  };
}

function openFiles(
  profile: KojiProfile,
  tls: TlsIdentity,
): { readonly files: KojiFiles; readonly close: () => void } {
  if (profile.topDir !== null) {
    try {
      return { files: openTopDir(profile.topDir), close: () => undefined };
    } catch (error) {
      if (profile.topUrl === null) throw error;
    }
  }
  if (profile.topUrl === null) {
    throw new ReactorError('koji.files_unknown', 'The profile names neither topdir nor topurl.', {
      hint: 'Add topdir (where it is mounted here) or topurl to it.',
    });
  }
  const files = openKojiHttpFiles({ topUrl: profile.topUrl, tries: 2, tls });
  return { files, close: () => files.close() };
}

interface CheckedKoji {
  readonly profile: string;
  readonly hub: HubName;
  readonly findings: readonly Finding[];
}

function print(context: ActionContext, { profile, hub, findings }: CheckedKoji, isJson: boolean): void {
  if (isJson) {
    context.stdout(`${JSON.stringify({ profile, ...(hub === null ? {} : { hub }), findings })}\n`);
    return;
  }
  if (hub !== null) context.stdout(`\n${nameOfKoji(hub)}\n`);
  for (const { what, isWell, says, hint } of findings) {
    const mark = isWell === null ? '-' : isWell ? 'ok' : 'NOT';
    context.stdout(`${mark.padEnd(4)}${what.padEnd(9)}${says}\n`);
    if (hint !== null && isWell !== true) context.stdout(`             ${hint}\n`);
  }
}

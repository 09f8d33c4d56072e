import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { parseNevra } from '../src/model/nevra.ts';
import type { XmlRpcStruct } from '../src/upstream/koji/xml-rpc-value.ts';
import { writeValue } from '../src/upstream/koji/xml-rpc-write.ts';
import { startFileServer } from '../tests/upstream/koji/file-server.ts';
import {
  ServedFault,
  startHubServer,
  type ServedAnswer,
  type ServedCall,
} from '../tests/upstream/koji/hub-server.ts';

const lineSchema = z.object({
  build_id: z.number(),
  nvr: z.string(),
  name: z.string(),
  version: z.string(),
  release: z.string(),
  epoch: z.number(),
  latest: z.boolean(),
  rpms: z.array(
    z.object({ path: z.string(), size: z.number(), sha256: z.string(), md5_sigheader: z.string() }),
  ),
});

const [, , tree = '', delayMs = ''] = process.argv;
const lines = readFileSync(join(tree, 'builds.jsonl'), 'utf8').trim().split('\n');
const builds = lines.map((line) => lineSchema.parse(JSON.parse(line))).filter((build) => build.latest);
const digests: string[] = [];
const rpmRows: XmlRpcStruct[] = [];
const untagged = builds.at(-1)?.name ?? '';
let event = 1000;

for (const build of builds) {
  for (const { path, size, sha256, md5_sigheader: payloadhash } of build.rpms) {
    const { name, version, release, arch } = parseNevra(path);
    rpmRows.push({
      id: digests.length,
      build_id: build.build_id,
      name,
      version,
      release,
      arch,
      size,
      payloadhash,
      epoch: build.epoch === 0 ? null : build.epoch,
      buildtime: 1_743_249_521,
      buildroot_id: null,
      metadata_only: false,
      draft: false,
      extra: null,
    });
    digests.push(sha256);
  }
}
const buildRows = builds.map((build) => ({
  id: build.build_id,
  build_id: build.build_id,
  nvr: build.nvr,
  name: build.name,
  package_name: build.name,
  version: build.version,
  release: build.release,
  epoch: build.epoch === 0 ? null : build.epoch,
  state: 1,
  volume_id: 0,
  volume_name: 'DEFAULT',
  draft: false,
  task_id: null,
  tag_id: 1,
  tag_name: 'bench',
  create_event: 900,
  owner_id: 1,
  owner_name: 'releng',
  package_id: build.build_id,
  completion_time: '2025-03-04 19:39:47.611481+00:00',
  creation_time: '2025-03-04 19:39:47.611481+00:00',
}));

/** Event 1000: all but the last build. Event 1001: that one too. */
function listed(name: unknown): ServedAnswer {
  const isIn = (build: (typeof buildRows)[number]): boolean =>
    name === undefined ? event > 1000 || build.name !== untagged : build.name === name;
  const chosen = buildRows.filter(isIn);
  const ids = new Set(chosen.map((build) => build.build_id));
  return { bytes: answerOf([rpmRows.filter((rpm) => ids.has(Number(rpm['build_id']))), chosen]) };
}

function answerOf(value: Parameters<typeof writeValue>[0]): Buffer {
  return Buffer.from(
    `<?xml version='1.0'?>\n<methodResponse>\n<params>\n<param>\n${writeValue(value)}\n</param>\n</params>\n</methodResponse>\n`,
  );
}

const first = listed(undefined);
event = 1001;
const second = listed(undefined);
event = 1000;

function answer({ method, args, keywords }: ServedCall): ServedAnswer {
  const last = buildRows.at(-1);
  switch (method) {
    case 'getLastEvent':
      return { value: { id: keywords['before'] === undefined ? event : 950, ts: 1_795_000_000 } };
    case 'getTag':
      return { value: { id: 1, name: String(args[0]), arches: 'x86_64', locked: false } };
    case 'getFullInheritance':
      return { value: [] };
    case 'listTaggedRPMS':
      if (keywords['package'] !== undefined) return listed(keywords['package']);
      return event === 1000 ? first : second;
    case 'tagChangedSinceEvent':
      return { value: event > 1000 };
    case 'queryHistory':
      return {
        value: {
          tag_listing:
            last === undefined
              ? []
              : [{ ...last, 'tag.name': 'bench', create_event: 1001, create_ts: 1, revoke_event: null }],
        },
      };
    case 'getRPMChecksums':
      return { value: { '': { sha256: digests[Number(args[0])] ?? '', md5: '' } } };
    default:
      throw new ServedFault(1000, `Invalid method: ${method}`);
  }
}

const hub = await startHubServer(answer);
const files = await startFileServer(tree, delayMs === '' ? {} : { delayMs: Number(delayMs) });
process.on('message', (message) => {
  if (message === 'tag') event = 1001;
  process.send?.('done');
});
process.send?.({ hub: hub.url, files: files.url, rpms: rpmRows.length });

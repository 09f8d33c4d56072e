import { parseArgs } from 'node:util';
import { z } from 'zod';
import { ReactorError } from '../model/errors.ts';
import type { Command, CommandContext } from './command.ts';
import {
  readBilledPackages,
  readInstalledPackages,
  readLockedPackages,
  type PackageLists,
} from './image-packages.ts';
import { createServiceClient, readAnswer, type ServiceClient } from './service-client.ts';

const help = `Usage: odcs-reactor image set NAME --series SERIES (--lock FILE | --arch ARCH (--sbom FILE | --installed FILE))
       odcs-reactor image list | show NAME | remove NAME | changed COMPOSE [options]

set      tells the service of an image that is built from what a series shows, and what it holds. Run it after each
         build of the image; with --arch once for each arch that it is built for, the others stay.
list     prints the images, a line each.
show     prints one with its packages, as JSON.
remove   forgets one.
changed  tells which images a compose changes, and by which packages. Exit code 1 where there is one.

Options of set:
  --series SERIES    the series whose composes its packages come from
  --reference TEXT   where the image can be had: quay.io/example/httpd:latest
  --lock FILE        the rpms.lock.yaml that it was built with
  --sbom FILE        its bill of materials: CycloneDX or SPDX, JSON
  --installed FILE   the output of rpm -qa in it
  --arch ARCH        whose packages --sbom or --installed lists

Options of all:
  --server URL   http://127.0.0.1:5005 by default (also ODCS_SERVER)
  --token TOKEN  sent as a bearer token (also ODCS_TOKEN)
  --json         JSON instead of text
`;

const options = {
  series: { type: 'string' },
  reference: { type: 'string' },
  lock: { type: 'string' },
  sbom: { type: 'string' },
  installed: { type: 'string' },
  arch: { type: 'string' },
  server: { type: 'string' },
  token: { type: 'string' },
  json: { type: 'boolean' },
} as const;

const counted = z.object({
  name: z.string(),
  series: z.string(),
  reference: z.string().nullable(),
  packages: z.record(z.string(), z.number()),
});
const listSchema = z.object({ items: z.array(counted), next: z.string().nullable() });
type ListedImages = z.infer<typeof listSchema>;
const imageSchema = z.object({ packages: z.record(z.string(), z.record(z.string(), z.string())) });
const changedSchema = z.object({
  images: z.array(
    z.object({
      name: z.string(),
      arches: z.record(
        z.string(),
        z.array(
          z.object({ name: z.string(), from: z.string(), to: z.string(), advisories: z.array(z.string()) }),
        ),
      ),
    }),
  ),
  unchanged: z.array(z.string()),
});

function parse(argv: readonly string[]) {
  return parseArgs({ args: [...argv], allowPositionals: true, options });
}
type Values = ReturnType<typeof parse>['values'];

interface Asked {
  readonly client: ServiceClient;
  readonly values: Values;
  readonly name: string;
}

export const command: Command = {
  summary: 'Tell the service of container images, and see which ones a compose changes',
  help,
  async run(context) {
    const { argv, environment, signal, stdout, stderr } = context;
    const { values, positionals } = parse(argv);
    const [action, name] = positionals;
    const server = values.server ?? environment['ODCS_SERVER'] ?? 'http://127.0.0.1:5005';
    const client = createServiceClient(server, values.token ?? environment['ODCS_TOKEN'], signal);
    if (action === 'list') return listImages(context, { client, values, name: '' });
    if (name === undefined) {
      stderr(help);
      return 2;
    }
    const asked = { client, values, name };
    const path = pathOf(name);
    switch (action) {
      case 'set':
        return setImage(context, asked);
      case 'show':
        stdout(`${JSON.stringify(await client.request('GET', path), null, 2)}\n`);
        return 0;
      case 'remove':
        await client.request('DELETE', path);
        stdout(`${name} is forgotten.\n`);
        return 0;
      case 'changed':
        return showChanged(context, asked);
      default:
        stderr(help);
        return 2;
    }
  },
};

function pathOf(name: string): string {
  return `/api/1/images/${encodeURIComponent(name)}`;
}

async function listImages({ stdout }: CommandContext, { client, values }: Asked): Promise<number> {
  const series = values.series === undefined ? '' : `&series=${encodeURIComponent(values.series)}`;
  for (let after: string | null = ''; after !== null;) {
    const path: string = `/api/1/images/?after=${encodeURIComponent(after)}${series}`;
    const { items, next }: ListedImages = readAnswer(listSchema, await client.request('GET', path));
    for (const one of items) {
      const counts = Object.entries(one.packages).map(([arch, count]) => `${arch} ${count}`);
      if (values.json === true) stdout(`${JSON.stringify(one)}\n`);
      else stdout(`${one.name}  ${one.series}  ${counts.join(', ')}  ${one.reference ?? '-'}\n`);
    }
    after = next;
  }
  return 0;
}

async function setImage({ stdout }: CommandContext, { client, values, name }: Asked): Promise<number> {
  const { series, reference } = values;
  if (series === undefined) throw usage('set needs --series: the line of composes the image is built from.');
  const lists = readLists(values);
  const kept = values.lock === undefined ? await packagesOf(client, name) : {};
  const answer = await client.request('PUT', pathOf(name), {
    series,
    ...(reference === undefined ? {} : { reference }),
    packages: { ...kept, ...lists },
  });
  const { packages } = readAnswer(imageSchema, answer);
  if (values.json === true) stdout(`${JSON.stringify(answer, null, 2)}\n`);
  else {
    const counts = Object.entries(packages).map(
      ([arch, held]) => `${arch}: ${Object.keys(held).length} packages`,
    );
    stdout(`${name} of ${series}: ${counts.join(', ')}\n`);
  }
  return 0;
}

function readLists(values: Values): PackageLists {
  const { lock, sbom, installed, arch } = values;
  const given = [lock, sbom, installed].filter((file) => file !== undefined);
  if (given.length !== 1) throw usage('set needs one of --lock, --sbom and --installed.');
  if (lock !== undefined) return readLockedPackages(lock);
  if (arch === undefined)
    throw usage('--sbom and --installed list the packages of one arch: say which with --arch.');
  if (sbom !== undefined) return { [arch]: readBilledPackages(sbom) };
  return { [arch]: readInstalledPackages(installed ?? '') };
}

/** What the service knows of an image already, as lists; nothing of one that it does not know. */
async function packagesOf(client: ServiceClient, name: string): Promise<PackageLists> {
  let answer: unknown;
  try {
    answer = await client.request('GET', pathOf(name));
  } catch (error) {
    if (error instanceof ReactorError && error.where?.endsWith('(404)') === true) return {};
    throw error;
  }
  const { packages } = readAnswer(imageSchema, answer);
  return Object.fromEntries(
    Object.entries(packages).map(([arch, held]) => [
      arch,
      Object.entries(held).map(([one, evr]) => `${one}-${evr}`),
    ]),
  );
}

async function showChanged({ stdout }: CommandContext, { client, values, name }: Asked): Promise<number> {
  if (!/^\d+$/.test(name)) throw usage('changed takes the id of a compose.');
  const answer = await client.request('GET', `/api/1/composes/${name}/images`);
  const { images, unchanged } = readAnswer(changedSchema, answer);
  if (values.json === true) stdout(`${JSON.stringify(answer, null, 2)}\n`);
  else {
    for (const image of images) {
      stdout(`${image.name}\n`);
      for (const [arch, packages] of Object.entries(image.arches)) {
        for (const one of packages) {
          const why = one.advisories.length === 0 ? '' : `  (${one.advisories.join(', ')})`;
          stdout(`  ${one.name}  ${one.from} -> ${one.to}  ${arch}${why}\n`);
        }
      }
    }
    stdout(`${images.length} of ${images.length + unchanged.length} images would change.\n`);
  }
  return images.length === 0 ? 0 : 1;
}

function usage(message: string): ReactorError {
  return new ReactorError('image.usage', message, { hint: 'See: odcs-reactor image --help' });
}

import { z } from 'zod';
import { ReactorError } from '../model/errors.ts';
import { defineCommand, type ActionContext } from './command.ts';
import { formatFacts, formatTable } from './format-table.ts';
import type { PackageLists } from '../rpm/image-packages.ts';
import { readBilledPackages, readInstalledPackages, readLockedPackages } from './image-packages.ts';
import { paintFor } from './paint.ts';
import { readAnswer, type ServiceClient } from './service-client.ts';
import { openService, serviceOptions, type ServiceOptions } from './service-options.ts';

const toldSchema = z.object({
  name: z.string(),
  series: z.string(),
  reference: z.string().nullable(),
  problem: z.object({ code: z.string(), message: z.string() }).nullable(),
});
const counted = toldSchema.extend({ packages: z.record(z.string(), z.number()) });
const listSchema = z.object({ items: z.array(counted), next: z.string().nullable() });
type ListedImages = z.infer<typeof listSchema>;
const readFromSchema = z.object({
  lock: z.string().optional(),
  sboms: z.record(z.string(), z.string()).optional(),
});
const imageSchema = toldSchema.extend({
  asks: z.array(z.string()).nullable(),
  packages: z.record(z.string(), z.record(z.string(), z.string())),
  read_from: readFromSchema.nullable(),
});
type KnownImage = z.infer<typeof imageSchema>;
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

interface SetOptions extends ServiceOptions {
  readonly series: string;
  readonly reference?: string | undefined;
  readonly lock?: string | undefined;
  readonly sbom?: string | undefined;
  readonly installed?: string | undefined;
  readonly asks?: string | undefined;
  readonly arch?: string | undefined;
}

const about = {
  name: 'image',
  summary: 'Tell the service of container images, and see which ones a compose changes',
};

export const command = defineCommand(about, (parser, context, end) => {
  serviceOptions(
    parser
      .command('set')
      .argument('<name>')
      .requiredOption('--series <series>', 'the line of composes its packages come from')
      .option('--reference <text>', 'where the image can be had: quay.io/example/httpd:latest')
      .option(
        '--lock <file>',
        'the rpms.lock.yaml that it was built with; a URL is read by the service itself',
      )
      .option(
        '--sbom <file>',
        'its bill of materials: CycloneDX or SPDX, JSON; a URL is read by the service itself',
      )
      .option('--installed <file>', 'the output of rpm -qa in it; beside --asks, in its base image')
      .option(
        '--asks <packages>',
        'what its build installs, separated by commas: it holds what that needs, of what the series shows now',
      )
      .option(
        '--arch <arch>',
        'whose packages --sbom or --installed lists, the other arches stay as they are; beside --asks the arches it is built for',
      ),
  )
    .description(
      'tell of an image that is built from what a series shows; run it after each build of the image',
    )
    .action(async (name, options) => end(await setImage(context, name, options)));
  serviceOptions(parser.command('list').option('--series <series>', 'only images of this one'))
    .description('print the images, a line each')
    .action(async (options) => end(await listImages(context, options)));
  serviceOptions(parser.command('show').argument('<name>'))
    .description('print one with its packages')
    .action(async (name, options) => {
      const answer = await openService(context, options).request('GET', pathOf(name));
      if (options.json === true) context.stdout(`${JSON.stringify(answer, null, 2)}\n`);
      else context.stdout(formatImage(context, readAnswer(imageSchema, answer)));
    });
  serviceOptions(parser.command('remove').argument('<name>'))
    .description('forget an image')
    .action(async (name, options) => {
      await openService(context, options).request('DELETE', pathOf(name));
      context.stdout(
        options.json === true ? `${JSON.stringify({ name, removed: true })}\n` : `${name} is forgotten.\n`,
      );
    });
  serviceOptions(parser.command('changed').argument('<compose>', 'the id of a compose'))
    .description('tell which images a compose changes, and by which packages; exit code 1 where there is one')
    .action(async (id, options) => end(await showChanged(context, id, options)));
});

function formatImage(context: ActionContext, image: z.infer<typeof imageSchema>): string {
  const { name, series, reference, asks, read_from: readFrom, problem, packages } = image;
  const facts = formatFacts([
    ['series', series],
    ['reference', reference],
    ['asks for', asks === null ? null : asks.join(', ')],
    ['read from', readFrom === null ? null : urlsOf(readFrom).join(', ')],
    ['not read', problem?.message ?? null],
  ]);
  const rows = Object.entries(packages).flatMap(([arch, held]) =>
    Object.entries(held).map(([rpm, evr]) => [arch, rpm, evr]),
  );
  const table = formatTable(['ARCH', 'PACKAGE', 'VERSION'], rows);
  return `${paintFor(context)('head', name)}\n${facts}${table === '' ? '' : `\n${table}`}`;
}

function pathOf(name: string): string {
  return `/api/1/images/${encodeURIComponent(name)}`;
}

async function listImages(
  context: ActionContext,
  options: ServiceOptions & { readonly series?: string | undefined },
): Promise<number> {
  const { stdout } = context;
  const client = openService(context, options);
  const series = options.series === undefined ? '' : `&series=${encodeURIComponent(options.series)}`;
  const rows: string[][] = [];
  for (let after: string | null = ''; after !== null;) {
    const path: string = `/api/1/images/?after=${encodeURIComponent(after)}${series}`;
    const { items, next }: ListedImages = readAnswer(listSchema, await client.request('GET', path));
    for (const image of items) {
      const counts = Object.entries(image.packages).map(([arch, count]) => `${arch} ${count}`);
      if (options.json === true) stdout(`${JSON.stringify(image)}\n`);
      else {
        const problem = image.problem === null ? [] : [`not read: ${image.problem.message}`];
        rows.push([image.name, image.series, [...counts, ...problem].join(', '), image.reference ?? '-']);
      }
    }
    after = next;
  }
  if (rows.length === 0 && options.json !== true)
    context.stderr('There is none. odcs-reactor image set tells of one.\n');
  stdout(formatTable(['IMAGE', 'SERIES', 'PACKAGES', 'REFERENCE'], rows));
  return 0;
}

async function setImage(context: ActionContext, name: string, options: SetOptions): Promise<number> {
  const { stdout } = context;
  const { series, reference } = options;
  const given = readGiven(options);
  const client = openService(context, options);
  const isWhole = 'lock' in given || 'lists' in given || 'asks' in given;
  const known = isWhole ? null : await findKnown(client, name);
  const answer = await client.request('PUT', pathOf(name), {
    series,
    ...(reference === undefined ? {} : { reference }),
    ...contentsOf(given, known),
  });
  const { packages, asks, read_from: readFrom } = readAnswer(imageSchema, answer);
  if (options.json === true) stdout(`${JSON.stringify(answer, null, 2)}\n`);
  else if (readFrom !== null) {
    stdout(`${name} of ${series}: read by the service from ${urlsOf(readFrom).join(', ')}\n`);
  } else {
    const counts = Object.entries(packages).map(
      ([arch, held]) => `${arch}: ${Object.keys(held).length} packages`,
    );
    const asked = asks === null ? '' : `asks for ${asks.join(', ')}; `;
    stdout(`${name} of ${series}: ${asked}${counts.join(', ')}\n`);
  }
  return 0;
}

/** What an image holds as the options say it, of all arches or of one beside which others stay. */
type GivenContents =
  | { readonly asks: AskedPackages }
  | { readonly lock: string }
  | { readonly lists: PackageLists }
  | { readonly arch: string; readonly sbom: string }
  | { readonly arch: string; readonly list: readonly string[] };

interface AskedPackages {
  readonly packages: readonly string[];
  readonly arches?: readonly string[];
  readonly installed?: readonly string[];
}

function readGiven({ lock, sbom, installed, asks, arch }: SetOptions): GivenContents {
  if (asks !== undefined) {
    if (lock !== undefined || sbom !== undefined) throw usage('--asks is instead of --lock and --sbom.');
    const words = (text: string): string[] => text.split(/[\s,]+/).filter((word) => word !== '');
    return {
      asks: {
        packages: words(asks),
        ...(arch === undefined ? {} : { arches: words(arch) }),
        ...(installed === undefined ? {} : { installed: readInstalledPackages(installed) }),
      },
    };
  }
  const given = [lock, sbom, installed].filter((file) => file !== undefined);
  if (given.length !== 1) throw usage('set needs one of --lock, --sbom, --installed and --asks.');
  if (lock !== undefined) return isUrl(lock) ? { lock } : { lists: readLockedPackages(lock) };
  if (arch === undefined)
    throw usage('--sbom and --installed list the packages of one arch: say which with --arch.');
  if (sbom === undefined) return { arch, list: readInstalledPackages(installed ?? '') };
  return isUrl(sbom) ? { arch, sbom } : { arch, list: readBilledPackages(sbom) };
}

function contentsOf(given: GivenContents, known: KnownImage | null): object {
  if ('asks' in given) return { asks: given.asks };
  if ('lock' in given) return { read_from: { lock: given.lock } };
  if ('lists' in given) return { packages: given.lists };
  if ('sbom' in given)
    return { read_from: { sboms: { ...known?.read_from?.sboms, [given.arch]: given.sbom } } };
  const kept = Object.entries(known?.packages ?? {}).map(([arch, held]) => [
    arch,
    Object.entries(held).map(([name, evr]) => `${name}-${evr}`),
  ]);
  return { packages: { ...Object.fromEntries(kept), [given.arch]: given.list } };
}

function isUrl(text: string): boolean {
  return /^https?:\/\//.test(text);
}

function urlsOf({ lock, sboms = {} }: z.infer<typeof readFromSchema>): readonly string[] {
  return [...(lock === undefined ? [] : [lock]), ...Object.values(sboms)];
}

/** What the service knows of an image already; null of one that it does not know. */
async function findKnown(client: ServiceClient, name: string): Promise<KnownImage | null> {
  try {
    return readAnswer(imageSchema, await client.request('GET', pathOf(name)));
  } catch (error) {
    if (error instanceof ReactorError && error.where?.endsWith('(404)') === true) return null;
    throw error;
  }
}

async function showChanged(context: ActionContext, id: string, options: ServiceOptions): Promise<number> {
  const { stdout } = context;
  if (!/^\d+$/.test(id)) throw usage('changed takes the id of a compose.');
  const answer = await openService(context, options).request('GET', `/api/1/composes/${id}/images`);
  const { images, unchanged } = readAnswer(changedSchema, answer);
  if (options.json === true) stdout(`${JSON.stringify(answer, null, 2)}\n`);
  else {
    for (const image of images) {
      stdout(`${image.name}\n`);
      for (const [arch, packages] of Object.entries(image.arches)) {
        for (const change of packages) {
          const why = change.advisories.length === 0 ? '' : `  (${change.advisories.join(', ')})`;
          stdout(`  ${change.name}  ${change.from} -> ${change.to}  ${arch}${why}\n`);
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

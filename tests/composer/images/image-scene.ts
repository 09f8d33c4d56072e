import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { createDemoRepository } from '../../../src/commands/demo/demo-files.ts';
import type { Config } from '../../../src/config.ts';
import { listImageTasks, type ImageTaskRow } from '../../../src/database/image-tasks.ts';
import type { Compose } from '../../../src/model/compose-json.ts';
import type { ComposeRequest } from '../../../src/model/compose.ts';
import { startFileServer } from '../../upstream/koji/file-server.ts';
import { startHubServer, type HubServer } from '../../upstream/koji/hub-server.ts';
import { StateHub } from '../../upstream/koji/state-hub.ts';
import { makeCertificate, type Certificate } from '../../upstream/koji/tls-front.ts';
import { defaultRequest } from '../../default-request.ts';
import { openTestComposer, type TestComposer } from '../open-test-composer.ts';
import { imageBuilders, type ImageBuilders } from './image-builders.ts';

/** A composer that asks a Koji for images, over HTTPS and logged in by a certificate. */
export interface ImageScene extends AsyncDisposable {
  readonly composer: TestComposer;
  readonly hub: StateHub;
  readonly server: HubServer;
  readonly builders: ImageBuilders;
  readonly definitions: string;
  /** Directory of a small repository. */
  readonly repository: string;
  /** Writes a definition whose one variant takes all of a small repository; `images` is YAML below it. */
  readonly define: (name: string, images: string, more?: string) => void;
  readonly tasksOf: (id: number) => Promise<readonly ImageTaskRow[]>;
  /** Resolves once Koji works on all images of a compose, and the service has noted so. */
  readonly untilRunning: (id: number) => Promise<void>;
  /** Resolves once so many tasks of images are in the hub. Throws why the compose ended before. */
  readonly untilTasks: (count: number, running: Promise<Compose>) => Promise<void>;
}

export interface ImageSceneOptions {
  /** Whether the files of Koji are behind a URL instead of in a directory. */
  readonly isByUrl?: boolean;
  /** Lines of the Koji profile beside those that every scene has. */
  readonly profile?: string;
  readonly config?: Partial<Config>;
  readonly isOldHub?: boolean;
  /** Starts what users log in at instead of the hub, whose URL it is given, and returns its URL. */
  readonly startFront?: (hub: string, certificate: Certificate) => Promise<string>;
}

/** The certificate and key of a client that the authority of a hub vouches for, in one file. */
export function makeLogin(folder: string, name: string, authority = 'ca'): string {
  const fresh = 'req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2';
  const words = `${fresh} -keyout ${name}.key -out ${name}.crt -subj /CN=${name} -CA ${authority}.pem -CAkey ${authority}.key -addext basicConstraints=critical,CA:FALSE`;
  execFileSync('openssl', words.split(' '), { cwd: folder, stdio: 'pipe' });
  const path = join(folder, `${name}.pem`);
  writeFileSync(path, ['crt', 'key'].map((end) => readFileSync(join(folder, `${name}.${end}`))).join('\n'));
  return path;
}

/** Starts one. */
export async function openImageScene({
  config = {},
  isByUrl = false,
  isOldHub = false,
  profile: moreOfProfile = '',
  startFront,
}: ImageSceneOptions = {}): Promise<ImageScene> {
  const folder = mkdtempSync(join(tmpdir(), 'odcs-images-'));
  const topDir = join(folder, 'koji');
  const definitions = join(folder, 'definitions');
  mkdirSync(topDir);
  mkdirSync(definitions);
  const made = makeCertificate(folder);
  const { authority, key, certificate } = made;
  const hub = new StateHub({ content: 'empty' });
  const tls = {
    key: readFileSync(key, 'utf8'),
    cert: readFileSync(certificate, 'utf8'),
    ca: readFileSync(authority, 'utf8'),
  };
  const server = await startHubServer(hub.answer, {
    isOld: isOldHub,
    ...(startFront === undefined ? { tls } : { isBehindFront: true }),
  });
  const url = (await startFront?.(server.url, made)) ?? server.url;
  const files = isByUrl ? await startFileServer(topDir) : null;
  const place = files === null ? `topdir = ${topDir}` : `topurl = ${files.url}`;
  const profile = join(folder, 'koji.conf');
  writeFileSync(
    profile,
    `[images]\nserver = ${url}\n${place}\nserverca = ${authority}\nweburl = https://koji.example.org/koji\n${moreOfProfile}\n`,
  );
  const repository = createDemoRepository(join(folder, 'repository'));
  await repository.add('base', new Date('2026-11-01T00:00:00Z'));
  const composer = await openTestComposer({
    koji_profile: 'images',
    koji_config: profile,
    koji_login_certificate: makeLogin(folder, 'odcs'),
    image_poll_seconds: 0.02,
    definitions_dir: definitions,
    repo_roots: [folder],
    ...config,
  });
  return {
    composer,
    hub,
    server,
    builders: imageBuilders(hub, topDir),
    definitions,
    repository: repository.directory,
    define(name, images, more = '') {
      writeFileSync(
        join(definitions, `${name}.yaml`),
        `version: 1
name: ${name}
release: { name: Product, short: Product, version: "1" }
arches: [aarch64, x86_64]
inputs: { repositories: ["${repository.directory}"] }
gather: { check_deps: false }
repoclosure: "off"
variants:
  BaseOS:
    packages: ["*"]
    images:
${images.replace(/^/gm, '      ')}
${more}`,
      );
    },
    tasksOf: (id) => listImageTasks(composer.context.database.kysely, id),
    async untilRunning(id) {
      const areNoted = async (): Promise<boolean> =>
        (await listImageTasks(composer.context.database.kysely, id)).every(
          ({ state }) => state === 'running',
        );
      while (!(await areNoted())) await wait(5);
    },
    async untilTasks(count, running) {
      let ended: Compose | undefined;
      void running.then(
        (compose) => (ended = compose),
        () => undefined,
      );
      while (imageBuilders(hub, topDir).tasks().length < count) {
        if (ended !== undefined) throw new Error(`the compose ended: ${ended.stateReason ?? ended.state}`);
        await wait(5);
      }
    },
    async [Symbol.asyncDispose]() {
      await composer[Symbol.asyncDispose]();
      await server.close();
      await files?.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** A request for a definition. */
export function askForDefinition(name: string, more: Partial<ComposeRequest> = {}): ComposeRequest {
  return { ...defaultRequest, sourceType: 'definition', source: [name], flags: ['no_reuse'], ...more };
}

/** One image by kiwi, in YAML. */
export const kiwiImage = `- phase: kiwibuild
  target: f44-kiwi
  description_scm: git+https://pagure.io/fedora-kiwi-descriptions.git#8da00cb1fbb1a55ff47e07bd2ae5e8cd96d58b90
  description_path: Fedora.kiwi
  kiwi_profile: Cloud-Base-Generic
  release: null
  failable: [aarch64]`;

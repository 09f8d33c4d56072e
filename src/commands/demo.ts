import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '../clock.ts';
import { loadConfig } from '../config.ts';
import { createLog } from '../log.ts';
import { startReactor, type Reactor } from '../app/reactor.ts';
import { defineCommand, type ActionContext } from './command.ts';
import { createDemoRepository, writeDemoRule, type DemoRepository } from './demo/demo-files.ts';
import { createDemoService, type DemoService } from './demo/demo-service.ts';
import { createServiceClient } from './service-client.ts';

const wanted = ['curl', 'nginx'];

interface Stage {
  /** One step of the story: a sentence for people, fields for programs. */
  say(step: string, sentence: string, fields?: Record<string, unknown>): void;
}

function createStage(context: ActionContext, isJson: boolean): Stage {
  const start = performance.now();
  return {
    say(step, sentence, fields = {}) {
      const seconds = Number(((performance.now() - start) / 1000).toFixed(1));
      if (isJson) context.stdout(`${JSON.stringify({ step, seconds, ...fields })}\n`);
      else
        context.stdout(
          `${String(seconds.toFixed(1)).padStart(5)} s  ${sentence.replaceAll('\n', '\n         ')}\n`,
        );
    },
  };
}

function expect(isTrue: boolean, what: string): void {
  if (!isTrue) throw new Error(`the demo expected that ${what}`);
}

/** The story; returns what its last line tells. */
async function play(
  stage: Stage,
  service: DemoService,
  repository: DemoRepository,
): Promise<{ readonly composes: number[]; readonly repofile: string }> {
  const source = repository.directory;
  const first = await service.createCompose({ source: { type: 'repo', source, packages: wanted } });
  stage.say(
    'asked',
    `POST /api/1/composes/: ${wanted.join(' and ')} with all they need. It is compose ${first.id}.`,
    {
      compose: first.id,
    },
  );
  const done = await service.waitForCompose(first.id);
  const before = await service.listPackages(done);
  expect(
    before.includes('openssl-libs-0:3.2.1-1.x86_64'),
    'the compose has openssl-libs-3.2.1-1, which curl and nginx need',
  );
  expect(!before.some((rpm) => rpm.startsWith('ed-')), 'the compose lacks ed, which nobody needs');
  stage.say('composed', `Compose ${done.id} is done:\n${before.join('\n')}`, {
    compose: done.id,
    packages: before,
  });

  const added = await repository.add('update', systemClock.now());
  stage.say('updated', `openssl got a security fix: ${added.join(', ')} lie in the repository now.`, {
    added,
  });
  const event = { topic: 'repo.changed', body: { repo: source, packages: ['openssl'] } };
  const eventId = await service.sendEvent(event);
  stage.say('event', `POST /api/1/events: ${JSON.stringify(event)}`, { event: eventId });
  const decision = await service.waitForDecision('image-packages', eventId);
  expect(
    decision.outcome === 'composed' && decision.compose_id !== null,
    `the rule composed, not "${decision.outcome}: ${decision.why}"`,
  );
  const second = await service.waitForCompose(decision.compose_id ?? 0);
  const after = await service.listPackages(second);
  expect(after.includes('openssl-libs-0:3.2.1-2.x86_64'), 'the new compose has openssl-libs-3.2.1-2');
  expect(after.length === before.length, 'the new compose has all that the old one had');
  const changed = after.filter((rpm) => !before.includes(rpm));
  stage.say(
    'reacted',
    `The rule image-packages made compose ${second.id} of it. New in it: ${changed.join(', ')}`,
    {
      compose: second.id,
      changed,
    },
  );

  const again = await service.sendEvent(event);
  const unchanged = await service.waitForDecision('image-packages', again);
  expect(
    unchanged.outcome === 'unchanged',
    `the same event again changes nothing, not "${unchanged.outcome}"`,
  );
  stage.say('unchanged', `The same event again: ${unchanged.outcome}. ${unchanged.why}`, {
    why: unchanged.why,
  });

  const repofile = await service.readText(second.result_repofile);
  stage.say('repofile', `${second.result_repofile}:\n${repofile.trimEnd()}`, {
    url: second.result_repofile,
    repofile,
  });
  const command = `dnf --repofrompath=demo,${second.result_repo}/x86_64/os --repo demo --nogpgcheck list available`;
  stage.say('dnf', command, { command });
  return { composes: [done.id, second.id], repofile: second.result_repofile };
}

async function startDemoReactor(directory: string, repository: string, port: number): Promise<Reactor> {
  writeDemoRule(join(directory, 'rules'), repository, wanted);
  const { config } = loadConfig({
    file: undefined,
    environment: {},
    overrides: {
      data_dir: join(directory, 'data'),
      rules_dir: join(directory, 'rules'),
      port,
      log_level: 'error',
    },
  });
  return startReactor({ config, log: createLog(config.log_level) });
}

interface Options {
  readonly json?: true | undefined;
  readonly keep?: true | undefined;
  readonly port?: string | undefined;
}

const about = { name: 'demo', summary: 'Tell what the service is for, with a real one' };

export const command = defineCommand(about, (parser, context) => {
  parser
    .description(
      'Tell what the service is for, with a real one: a repository with an openssl, a compose asked for over REST, an update of openssl, and the compose that comes of it by itself. Exit code 0 only if all of it was seen.',
    )
    .option('--json', 'JSON lines instead of a story')
    .option('--keep', 'leave the service running afterwards, until Ctrl-C')
    .option('--port <n>', 'a free port by default')
    .action((options) => runDemo(context, options));
});

async function runDemo(context: ActionContext, options: Options): Promise<void> {
  const isJson = options.json === true;
  const stage = createStage(context, isJson);
  const directory = mkdtempSync(join(tmpdir(), 'odcs-demo-'));
  try {
    const repository = createDemoRepository(join(directory, 'repository'));
    const added = await repository.add('base', systemClock.now());
    stage.say('repository', `A repository of ${added.length} real RPMs: ${repository.directory}`, {
      path: repository.directory,
      packages: added,
    });
    await using reactor = await startDemoReactor(directory, repository.directory, Number(options.port ?? 0));
    stage.say('started', `The reactor runs at ${reactor.url}, everything embedded, with one rule.`, {
      url: reactor.url,
    });
    const client = createServiceClient(reactor, context.signal);
    const result = await play(stage, createDemoService(client, context.signal), repository);
    if (options.keep === true && !context.signal.aborted) {
      stage.say('kept', `The service goes on at ${reactor.url} until Ctrl-C.`, { url: reactor.url });
      await new Promise<void>((resolve) => {
        context.signal.addEventListener('abort', () => resolve(), { once: true });
      });
    }
    if (isJson) context.stdout(`${JSON.stringify({ demo: 'ok', ...result })}\n`);
    else stage.say('ok', 'All of it was seen.');
  } catch (error) {
    if (isJson)
      context.stdout(
        `${JSON.stringify({ demo: 'failed', reason: error instanceof Error ? error.message : String(error) })}\n`,
      );
    throw error;
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { StoredTask } from '../../upstream/koji/hub-state/hub-rows.ts';
import type { XmlRpcStruct } from '../../../src/upstream/koji/xml-rpc-value.ts';
import type { StateHub } from '../../upstream/koji/state-hub.ts';

const CLOSED = 2;
const FAILED = 5;

/** The builders of a hub: what they make of tasks that its clients asked for. */
export interface ImageBuilders {
  /** Tasks of images, the first first. */
  readonly tasks: () => readonly StoredTask[];
  /** Ends a task of kiwi or image-builder: a file of each arch with this name, null where that arch failed. */
  readonly finish: (taskId: number, files: Readonly<Record<string, string | null>>, nvr: string) => void;
  /** Ends a task with a result, and with the archives of a build. */
  readonly finishBuild: (
    taskId: number,
    nvr: string,
    archives: readonly XmlRpcStruct[],
    resultOf: (buildId: number) => XmlRpcStruct,
  ) => void;
  readonly fail: (taskId: number, why: string) => void;
}

const childMethods: Readonly<Record<string, string>> = {
  kiwiBuild: 'createKiwiImage',
  imageBuilderBuild: 'imageBuilderBuildArch',
};

/** Returns the builders of a hub whose files lie in a directory. */
export function imageBuilders(hub: StateHub, topDir: string): ImageBuilders {
  const { tables } = hub;
  const taskOf = (id: number): StoredTask => {
    const task = tables.tasks.get(id);
    if (task === undefined) throw new Error(`the hub has no task ${id}`);
    return task;
  };
  const write = (nvr: string, name: string): void => {
    const [, pkg = '', version = '', release = ''] = /^(.+)-([^-]+)-([^-]+)$/.exec(nvr) ?? [];
    const path = join(topDir, 'packages', pkg, version, release, 'images', name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, `the image ${name}\n`);
  };
  return {
    tasks: () => [...tables.tasks.values()].filter(({ parent }) => parent === null),
    finish(taskId, files, nvr) {
      const task = taskOf(taskId);
      hub.importBuild(nvr, { rpms: [] });
      const [, name = '', version = '', release = ''] = /^(.+)-([^-]+)-([^-]+)$/.exec(nvr) ?? [];
      for (const [arch, file] of Object.entries(files)) {
        const id = tables.takeId('task');
        const request = [name, version, release, arch, {}];
        const method = childMethods[task.method] ?? '';
        const result = { arch, name, version, release, files: file === null ? [] : [file, 'build.log'] };
        if (file !== null) write(nvr, file);
        tables.tasks.set(id, {
          ...task,
          id,
          parent: taskId,
          method,
          arch,
          request,
          state: file === null ? FAILED : CLOSED,
          result: file === null ? 'no space left' : result,
        });
      }
      tables.tasks.set(taskId, { ...task, state: CLOSED, result: 'image build results' });
    },
    finishBuild(taskId, nvr, archives, resultOf) {
      const task = taskOf(taskId);
      hub.importBuild(nvr, { rpms: [], archives });
      for (const { filename } of archives) write(nvr, String(filename));
      const result = resultOf(tables.findBuild(nvr)?.id ?? 0);
      tables.tasks.set(taskId, { ...task, state: CLOSED, result });
    },
    fail(taskId, why) {
      tables.tasks.set(taskId, { ...taskOf(taskId), state: FAILED, result: why });
    },
  };
}

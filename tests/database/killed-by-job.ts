import { openDatabase } from '../../src/database/database.ts';

/** A process whose handler of a compose's job kills it, and that ends once the job has been given up. */
const [dataDir = ''] = process.argv.slice(2);
const database = await openDatabase({ url: '', dataDir });
const onError = (): void => undefined;
const given = Promise.withResolvers<void>();
await database.jobs.work('compose.run', {
  concurrency: 1,
  onError,
  handleJob: async (_data, { number, isLast }) => {
    process.stdout.write(`attempt ${number}${isLast ? ' last' : ''}\n`, () =>
      process.kill(process.pid, 'SIGKILL'),
    );
    await new Promise(() => undefined);
  },
});
await database.jobs.work('compose.given-up', {
  concurrency: 1,
  onError,
  handleJob: async () => {
    process.stdout.write('given up\n');
    given.resolve();
  },
});
await given.promise;
await database.close();

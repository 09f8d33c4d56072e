import { defineCommand } from './command.ts';
import { diffLockFiles, makeLockFile, readLockFile, readLockOrigin, writeLockFile } from './lock-file.ts';
import { openService, serviceOptions } from './service-options.ts';

const about = { name: 'lock', summary: 'Bring a lock file of a container build up to date' };

export const command = defineCommand(about, (parser, context, end) => {
  serviceOptions(
    parser
      .command('update')
      .argument('<file>')
      .option('--check', 'write nothing; exit code 1 where something would change'),
  )
    .description(
      'make a lock file again that "compose lock" wrote, from what its series shows now, and print what changed; where nothing did the file is left alone',
    )
    .action(async (file, options) => {
      const client = openService(context, options);
      const before = readLockFile(file);
      const after = await makeLockFile(client, readLockOrigin(before, file));
      const changes = after === before ? [] : diffLockFiles(before, after);
      const isWritten = after !== before && options.check !== true;
      if (isWritten) writeLockFile(file, after);
      if (options.json === true) {
        context.stdout(
          `${JSON.stringify({ file, changed: after !== before, written: isWritten, changes })}\n`,
        );
      } else {
        for (const line of changes) context.stdout(`${line}\n`);
        if (after === before) context.stdout(`${file}: nothing changed\n`);
        if (isWritten) context.stdout(`${file}: written\n`);
      }
      end(after !== before && options.check === true ? 1 : 0);
    });
});

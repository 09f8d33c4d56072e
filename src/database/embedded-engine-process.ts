import { messageOf } from '../model/errors.ts';
import { openEmbeddedEngine } from './embedded-engine.ts';

try {
  const engine = await openEmbeddedEngine({ dataDir: process.argv[2] ?? '' });
  await engine.close();
  process.disconnect();
} catch (error) {
  process.stderr.write(messageOf(error), () => process.exit(1));
}

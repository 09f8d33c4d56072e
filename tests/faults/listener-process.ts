import { openDatabase } from '../../src/database/database.ts';
import { createLog } from '../../src/log.ts';
import { parseFedoraMessagingConfig } from '../../src/buses/fedora-messaging-config.ts';
import { listenToFedoraMessaging } from '../../src/buses/fedora-messaging-consumer.ts';
import { Inbox } from '../../src/listeners/inbox.ts';
import { defaultLimits } from '../../src/listeners/translate/message-body.ts';

/** A listener to be killed: reads the configuration and the database's URL from the environment. */
const log = createLog(process.env['FAULT_LOG'] ?? 'silent');
const config = parseFedoraMessagingConfig(process.env['FAULT_CONFIG'] ?? '', 'FAULT_CONFIG');
const database = await openDatabase({ url: process.env['FAULT_DATABASE_URL'] ?? '', dataDir: '' });
const inbox = new Inbox({
  database,
  log,
  limits: defaultLimits,
  metrics: null,
  needsEnrichment: () => false,
});
const supervision = { firstDelayMs: 100, lastDelayMs: 1_000 };
const listener = listenToFedoraMessaging({ config, inbox, log, metrics: null, supervision });
process.once('SIGTERM', () => {
  void (async () => {
    await listener.stop();
    await inbox.close();
    await database.close();
    process.exit(0);
  })();
});

import type { Config } from '../config.ts';
import { readFedoraMessagingConfig } from './fedora-messaging-config.ts';
import { createFedoraMessagingPublisher } from './fedora-messaging-publisher.ts';
import type { Publisher } from './publisher.ts';
import { umbCredentials } from './umb-credentials.ts';
import { createUmbPublisher } from './umb-publisher.ts';

/**
 * Opens a publisher for each bus the settings name; none connects before there is something to publish. Throws
 * `fedora_messaging.config_invalid`.
 */
export function openPublishers(config: Config): Publisher[] {
  const publishers: Publisher[] = [];
  if (config.fedora_messaging_config !== '') {
    publishers.push(
      createFedoraMessagingPublisher(readFedoraMessagingConfig(config.fedora_messaging_config)),
    );
  }
  if (config.umb_urls.length > 0 && config.umb_topic !== '') {
    const destination = config.umb_topic.startsWith('/') ? config.umb_topic : `/topic/${config.umb_topic}`;
    publishers.push(
      createUmbPublisher({ urls: config.umb_urls, destination, credentials: umbCredentials(config) }),
    );
  }
  return publishers;
}

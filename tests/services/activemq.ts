import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findFreePort, startProcess, waitUntilReady, type ServiceProcess } from './service-process.ts';

/** Debian packages `startActivemq` needs. */
export const activemqPackages = ['activemq', 'default-jre-headless'] as const;

export interface ActivemqService {
  readonly port: number;
  /** `stomp://127.0.0.1:port` */
  readonly url: string;
  /** Ends the broker and removes its directory. */
  stop(): Promise<void>;
  /** Ends the broker at once, as a crash does. */
  kill(): Promise<void>;
  start(): Promise<void>;
  /** Stops the broker's process without ending it, so that it is silent; `resume` lets it go on. */
  freeze(): void;
  resume(): void;
}

/** What makes the broker listen with TLS and ask every client for a certificate of the authority. */
export interface ActivemqTls {
  readonly authority: string;
  readonly certificate: string;
  readonly key: string;
}

const STORE_PASSWORD = 'changeit';

/** Java's form of the certificates; returns the configuration that names them. */
function keystores(folder: string, tls: ActivemqTls): string {
  const run = (command: string, args: readonly string[]): void => {
    execFileSync(command, args, { cwd: folder, stdio: 'pipe' });
  };
  const pair = ['-inkey', tls.key, '-in', tls.certificate, '-passout', `pass:${STORE_PASSWORD}`];
  run('openssl', ['pkcs12', '-export', '-name', 'broker', '-out', 'keys.p12', ...pair]);
  const store = ['-keystore', 'trust.p12', '-storetype', 'PKCS12', '-storepass', STORE_PASSWORD];
  run('keytool', ['-importcert', '-noprompt', '-alias', 'authority', '-file', tls.authority, ...store]);
  const password = (name: string): string => `${name}StorePassword="${STORE_PASSWORD}"`;
  return `<sslContext><sslContext keyStore="file:${folder}/keys.p12" keyStoreType="pkcs12" ${password('key')}
      trustStore="file:${folder}/trust.p12" trustStoreType="pkcs12" ${password('trust')}/></sslContext>`;
}

/** UMB's virtual topics have two words before the topic; a stock broker routes nothing to such queues. */
function configuration(folder: string, port: number, tls: ActivemqTls | undefined): string {
  const sslContext = tls === undefined ? '' : keystores(folder, tls);
  const scheme = tls === undefined ? 'stomp' : 'stomp+ssl';
  const client = tls === undefined ? '' : '&amp;transport.needClientAuth=true';
  return `<beans xmlns="http://www.springframework.org/schema/beans" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"
  xsi:schemaLocation="http://www.springframework.org/schema/beans http://www.springframework.org/schema/beans/spring-beans.xsd
  http://activemq.apache.org/schema/core http://activemq.apache.org/schema/core/activemq-core.xsd">
  <broker xmlns="http://activemq.apache.org/schema/core" brokerName="odcs" dataDirectory="${folder}/data" useJmx="false"
      schedulerSupport="false" advisorySupport="true">
    <destinationInterceptors>
      <virtualDestinationInterceptor>
        <virtualDestinations>
          <virtualTopic name="VirtualTopic.&gt;" prefix="Consumer.*.*." selectorAware="false" setOriginalDestination="false"/>
        </virtualDestinations>
      </virtualDestinationInterceptor>
    </destinationInterceptors>
    <persistenceAdapter><kahaDB directory="${folder}/data/kahadb"/></persistenceAdapter>
    ${sslContext}
    <transportConnectors>
      <transportConnector name="stomp" uri="${scheme}://127.0.0.1:${port}?transport.hbGracePeriodMultiplier=1.5${client}"/>
    </transportConnectors>
  </broker>
</beans>
`;
}

async function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}

/** Starts an ActiveMQ of its own in a temporary directory, with STOMP on a free port of the loopback. */
export async function startActivemq(options: { readonly tls?: ActivemqTls } = {}): Promise<ActivemqService> {
  const folder = mkdtempSync(join(tmpdir(), 'odcs-activemq-'));
  const port = await findFreePort();
  const conf = join(folder, 'conf');
  mkdirSync(conf);
  mkdirSync(join(folder, 'data'));
  writeFileSync(join(conf, 'activemq.xml'), configuration(folder, port, options.tls));
  const home = '/usr/share/activemq';
  const logFile = join(folder, 'broker.log');
  const log4j = 'log4j.rootLogger=WARN, out\nlog4j.appender.out=org.apache.log4j.ConsoleAppender\n';
  const layout = 'log4j.appender.out.layout=org.apache.log4j.SimpleLayout\n';
  writeFileSync(join(conf, 'log4j.properties'), log4j + layout);
  const args = [
    '-Xms64M',
    '-Xmx512M',
    `-Dactivemq.home=${home}`,
    `-Dactivemq.base=${folder}`,
    `-Dactivemq.conf=${conf}`,
    `-Dactivemq.data=${folder}/data`,
    `-Dactivemq.classpath=${conf}:${home}/lib/`,
    '-jar',
    `${home}/bin/activemq.jar`,
    'start',
    `xbean:file:${conf}/activemq.xml`,
  ];
  let broker: ServiceProcess;
  async function start(): Promise<void> {
    broker = startProcess({ command: 'java', args, cwd: folder, logFile });
    await waitUntilReady(broker, { isReady: () => answers(port), logFile });
  }
  await start();
  return {
    port,
    url: `stomp://127.0.0.1:${port}`,
    start,
    kill: () => broker.end('SIGKILL'),
    async stop() {
      await broker.end('SIGKILL');
      rmSync(folder, { recursive: true, force: true });
    },
    freeze: () => process.kill(broker.pid, 'SIGSTOP'),
    resume: () => process.kill(broker.pid, 'SIGCONT'),
  };
}

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { amqpUrl } from '../../src/buses/amqp-connection.ts';
import { parseFedoraMessagingConfig } from '../../src/buses/fedora-messaging-config.ts';
import { ReactorError } from '../../src/model/errors.ts';

const fedora = `
amqp_url = "amqps://fedora:@rabbitmq.fedoraproject.org/%2Fpublic_pubsub"
callback = "fedora_messaging.example:printer"
passive_declares = true

[tls]
ca_cert = "/etc/fedora-messaging/cacert.pem"
keyfile = "/etc/fedora-messaging/fedora-key.pem"
certfile = "/etc/fedora-messaging/fedora-cert.pem"

[client_properties]
app = "Example Application"

[exchanges."amq.topic"]
type = "topic"
durable = true
auto_delete = false
arguments = {}

[queues.odcs_events]
durable = true
auto_delete = false
exclusive = false
arguments = {}

[[bindings]]
queue = "odcs_events"
exchange = "amq.topic"
routing_keys = ["org.fedoraproject.prod.buildsys.tag", "org.fedoraproject.prod.bodhi.#"]

[[bindings]]
queue = "odcs_events"
routing_keys = ["org.fedoraproject.prod.mbs.#"]

[consumer_config]
example_key = "for my consumer"

[qos]
prefetch_size = 0
prefetch_count = 25

[log_config]
version = 1
`;

test('the file the Python library reads is read as it is', () => {
  const config = parseFedoraMessagingConfig(fedora, 'config.toml');
  assert.equal(config.passive_declares, true);
  assert.equal(config.tls.certfile, '/etc/fedora-messaging/fedora-cert.pem');
  assert.deepEqual(Object.keys(config.queues), ['odcs_events']);
  assert.equal(config.bindings.length, 2);
  assert.equal(config.bindings[1]?.exchange, 'amq.topic');
  assert.equal(config.qos.prefetch_count, 25);
});

function refusal(text: string): ReactorError {
  try {
    parseFedoraMessagingConfig(text, 'config.toml');
  } catch (error) {
    assert.ok(error instanceof ReactorError);
    return error;
  }
  return assert.fail('was read');
}

test('an unknown key is refused with its name', () => {
  assert.match(refusal('amqp_ulr = "x"').message, /no key "amqp_ulr"/);
  assert.match(refusal('[queues.a]\ndurabel = true').message, /"queues\.a\.durabel"/);
  assert.match(refusal('[qos]\nprefetch = 3').message, /"qos\.prefetch"/);
  assert.equal(refusal('amqp_ulr = "x"').fate, 'halt');
});

test('a wrong type and broken TOML are refused with their place', () => {
  assert.match(refusal('passive_declares = "yes"').message, /"passive_declares"/);
  assert.match(refusal('a = = b').message, /not TOML/);
});

test('a heartbeat is always asked for, and the knobs of the Python library are not', () => {
  assert.equal(
    amqpUrl('amqp://u:p@h/%2Fv?connection_attempts=3&retry_delay=5'),
    'amqp://u:p@h/%2Fv?heartbeat=13',
  );
  assert.equal(amqpUrl('amqp://h/?heartbeat=30'), 'amqp://h/?heartbeat=20');
  assert.equal(amqpUrl('amqp://h/?heartbeat=0'), 'amqp://h/?heartbeat=0');
  assert.equal(amqpUrl('amqp://?connection_attempts=3'), 'amqp://localhost?heartbeat=13');
});

import { parentPort } from 'node:worker_threads';
import { placeFiles, type PlaceRequest } from './place-files.ts';
import { readSigkeys, type SigkeyRequest } from './read-sigkeys.ts';

const port = parentPort;
port?.on('message', (request: PlaceRequest | SigkeyRequest) => {
  port.postMessage('rpms' in request ? readSigkeys(request) : placeFiles(request), []);
});

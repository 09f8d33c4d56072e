import { parentPort } from 'node:worker_threads';
import { placeFiles, type PlaceRequest } from './place-files.ts';

const port = parentPort;
port?.on('message', (request: PlaceRequest) => {
  port.postMessage(placeFiles(request), []);
});

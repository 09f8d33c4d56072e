import { parentPort } from 'node:worker_threads';
import { fileDigests } from '../file-digests.ts';
import { countPlaces, placeFiles, type PlaceRequest } from './place-files.ts';
import { readDigests, type DigestRequest } from './read-digests.ts';
import { readSigkeys, type SigkeyRequest } from './read-sigkeys.ts';

const port = parentPort;
port?.on('message', (request: PlaceRequest | SigkeyRequest | DigestRequest) => {
  const answered = answer(request);
  port.postMessage({ answer: answered, kept: { digests: fileDigests.size, places: countPlaces() } }, []);
});

function answer(request: PlaceRequest | SigkeyRequest | DigestRequest) {
  if ('rpms' in request) return readSigkeys(request);
  return 'files' in request ? readDigests(request) : placeFiles(request);
}

import { parentPort, workerData } from 'node:worker_threads';
import { ReactorError } from '../../model/errors.ts';
import { packagesOfBill, packagesOfLock } from '../../rpm/image-packages.ts';
import type { ListAnswer, ListQuestion } from './list-of-file.ts';

const { kind, arch, bytes, where } = workerData as ListQuestion;

function answer(): ListAnswer {
  try {
    const text = Buffer.from(bytes).toString('utf8');
    return {
      lists: kind === 'lock' ? packagesOfLock(text, where) : { [arch]: packagesOfBill(text, where) },
    };
  } catch (error) {
    if (!(error instanceof ReactorError)) throw error;
    return { code: error.code, message: error.message, hint: error.hint ?? '' };
  }
}

parentPort?.postMessage(answer(), []);

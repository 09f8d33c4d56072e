import { readModuleDocuments } from '../../rpm/modulemd.ts';
import { repositoryDocuments, writeModulesYaml } from '../../rpm/modules-yaml.ts';
import type { DocumentType } from './document-type.ts';

/**
 * The modules of a tree. Uniting throws `modulemd.stream_differs`, `modulemd.defaults_twice` and what reading them
 * throws. Source: module contract 5.
 */
export const modulesDocument: DocumentType = {
  type: 'modules',
  name: 'modules.yaml',
  compression: 'gzip',
  carriedBy: ['compose'],
  unite(documents, { arch }) {
    const read = documents.flatMap((bytes) =>
      readModuleDocuments(Buffer.from(bytes).toString('utf8'), `modules for ${arch}`),
    );
    const text = writeModulesYaml(repositoryDocuments(read));
    return text === null ? null : Buffer.from(text);
  },
};
